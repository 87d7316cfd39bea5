package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A place is a page, or the frame with that title in it.
type place struct {
	*tab
	frame string
}

// page is the place that is the whole page.
func (p *tab) page() place { return place{tab: p} }

// An element is what a person finds in a place by its role and its label, as a screen reader tells them. It is looked
// for anew whenever something is asked of it, so it may come and go.
type element struct {
	place
	role, label string
}

func (l place) find(role, label string) element { return element{l, role, label} }

func (e element) String() string { return fmt.Sprintf("%s: the %s %q", e.name, e.role, e.label) }

// errAbsent says that there is no such element at present.
var errAbsent = errors.New("not there")

// root returns the document.
func (l place) root() (runtime.RemoteObjectID, error) {
	result, err := try(l.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: "document", ObjectGroup: "e2e"})
	if err != nil || l.frame == "" {
		return objectID(result.Result, err)
	}
	frame, err := l.tab.page().find("Iframe", l.frame).object()
	if err != nil {
		return "", err
	}
	inner, err := try(l.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function() { return this.contentDocument }", ObjectID: frame, ObjectGroup: "e2e",
	})
	return objectID(inner.Result, err)
}

func objectID(object *runtime.RemoteObject, err error) (runtime.RemoteObjectID, error) {
	if err != nil {
		return "", err
	}
	if object == nil || object.ObjectID == "" {
		return "", errAbsent
	}
	return object.ObjectID, nil
}

// nodes asks the accessibility tree of the place; without role and label for all of it.
func (l place) nodes(role, label string) ([]*accessibility.Node, error) {
	root, err := l.root()
	if err != nil {
		return nil, err
	}
	found, err := try(l.tab, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, Role: role, AccessibleName: label})
	if err != nil {
		return nil, err
	}
	var nodes []*accessibility.Node
	for _, node := range found.Nodes {
		if !node.Ignored {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// object returns the element as an object of the page. Of several the first.
func (e element) object() (runtime.RemoteObjectID, error) {
	nodes, err := e.nodes(e.role, e.label)
	if err != nil {
		return "", err
	}
	if len(nodes) == 0 {
		return "", errAbsent
	}
	resolved, err := try(e.tab, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: nodes[0].BackendDOMNodeID, ObjectGroup: "e2e"})
	return objectID(resolved.Object, err)
}

// ask calls a JavaScript function on the element, as this, and puts what it returns into the result.
func (e element) ask(function string, result any) error {
	object, err := e.object()
	if err != nil {
		return err
	}
	answer, err := try(e.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object, ReturnByValue: new(true), AwaitPromise: new(true), UserGesture: new(true),
	})
	if err != nil {
		return err
	}
	_, _ = try(e.tab, runtime.ReleaseObjectGroup, runtime.ReleaseObjectGroupParams{ObjectGroup: "e2e"})
	if answer.ExceptionDetails != nil {
		return fmt.Errorf("%s: %s", answer.ExceptionDetails.Text, answer.ExceptionDetails.Exception.Description)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal([]byte(answer.Result.Value), result)
}

// text returns what the element shows, and whether it is there.
func (e element) text() (text string, there bool) {
	err := e.ask("function() { return this.innerText ?? this.textContent }", &text)
	return strings.TrimSpace(text), err == nil
}

// shows waits until the element contains the text.
func (e element) shows(texts ...string) {
	e.Helper()
	eventually(e.T, fmt.Sprintf("%v shows %q", e, texts), func() (bool, string) {
		seen, there := e.text()
		if !there {
			return false, "it is not there"
		}
		for _, text := range texts {
			if strings.Contains(seen, text) {
				return true, seen
			}
		}
		return false, seen
	})
}

// there waits until the element is there.
func (e element) there() {
	e.Helper()
	eventually(e.T, fmt.Sprintf("%v is there", e), func() (bool, string) {
		_, err := e.object()
		return err == nil, fmt.Sprint(err)
	})
}

// value returns what stands in a textbox.
func (e element) value() (value string) {
	e.Helper()
	e.must("function() { return this.value }", &value)
	return value
}

// must asks until there is an answer.
func (e element) must(function string, result any) {
	e.Helper()
	eventually(e.T, fmt.Sprintf("%v answers", e), func() (bool, string) {
		err := e.ask(function, result)
		return err == nil, fmt.Sprint(err)
	})
}

// click moves the mouse to the middle of the element and clicks.
func (e element) click() {
	e.Helper()
	eventually(e.T, fmt.Sprintf("%v can be clicked", e), func() (bool, string) {
		x, y, err := e.middle()
		if err == nil {
			err = chromedp.Do(e.ctx, chromedp.MouseClickXY(x, y))
		}
		return err == nil, fmt.Sprint(err)
	})
}

// middle scrolls the element into view and returns where it is.
func (e element) middle() (x, y float64, err error) {
	object, err := e.object()
	if err != nil {
		return 0, 0, err
	}
	if _, err := try(e.tab, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{ObjectID: object}); err != nil {
		return 0, 0, err
	}
	quads, err := try(e.tab, dom.GetContentQuads, dom.GetContentQuadsParams{ObjectID: object})
	if err != nil {
		return 0, 0, err
	}
	if len(quads.Quads) == 0 {
		return 0, 0, errors.New("it is not visible")
	}
	q := quads.Quads[0]
	return (q[0] + q[4]) / 2, (q[1] + q[5]) / 2, nil
}

// focus puts the caret where a click would, whatever covers the element.
func (e element) focus() {
	e.Helper()
	e.must("function() { this.focus() }", nil)
}

// fill replaces what stands in a textbox.
func (e element) fill(text string) {
	e.Helper()
	e.must("function() { this.focus(); this.select() }", nil)
	if text == "" {
		e.press("\b")
		return
	}
	e.insert(text)
}

// insert puts text where the caret is, as pasting and other keyboards do.
func (p *tab) insert(text string) {
	p.Helper()
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// press presses and releases each key.
func (p *tab) press(keys string, options ...chromedp.KeyOption) {
	p.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(keys, options...)); err != nil {
		p.Fatalf("%s: press %q: %v", p.name, keys, err)
	}
}

// evaluate returns what the expression is on the page; an error stands for a page that is not there yet.
func evaluate[R any](l place, expression string) (result R, err error) {
	root, err := l.root()
	if err != nil {
		return result, err
	}
	answer, err := try(l.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function() { const document = this, window = this.defaultView; return " + expression + " }",
		ObjectID:            root, ReturnByValue: new(true), AwaitPromise: new(true),
	})
	if err != nil {
		return result, err
	}
	if answer.ExceptionDetails != nil {
		return result, errors.New(answer.ExceptionDetails.Text)
	}
	return result, json.Unmarshal([]byte(answer.Result.Value), &result)
}

// becomes waits until the expression is what is wanted.
func becomes[R comparable](t testing.TB, l place, expression string, want R) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s: %s is %v", l.name, expression, want), func() (bool, string) {
		got, err := evaluate[R](l, expression)
		return err == nil && got == want, fmt.Sprint(got, " ", err)
	})
}
