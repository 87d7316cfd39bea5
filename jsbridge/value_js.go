package jsbridge

import (
	"errors"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// toJS lets the page parse the value; the absent value is undefined.
func toJS(v document.Value) js.Value {
	if !v.Exists() {
		return js.Undefined()
	}
	return js.Global().Get("JSON").Call("parse", v.String())
}

// fromJS lets the page write the value, and checks the text as anybody's.
func fromJS(v js.Value) (document.Value, error) {
	text, err := stringify(v)
	if err != nil {
		return document.Value{}, err
	}
	return document.Parse(text, document.Limits{})
}

// stringify returns the value's JSON text. What has none, such as a function or an object that holds itself, is an error.
func stringify(v js.Value) (text []byte, err error) {
	defer thrown(&err)
	made := js.Global().Get("JSON").Call("stringify", v)
	if typeOf(made) != js.TypeString {
		return nil, argumentError("the value has no JSON form")
	}
	return []byte(made.String()), nil
}

// typeOf returns the value's type. syscall/js has none for a BigInt, and panics: here it is a number, which no argument
// may be, and it can be nothing else that is one.
func typeOf(v js.Value) (t js.Type) {
	defer func() {
		if recover() != nil {
			t = js.TypeNumber
		}
	}()
	return v.Type()
}

// textOf returns a string's text, and of anything else what it is in words. It is v.String, but for a BigInt.
func textOf(v js.Value) string {
	if typeOf(v) == js.TypeNumber {
		return js.Global().Get("String").Invoke(v).String()
	}
	return v.String()
}

// thrown makes an error of what JavaScript threw at the function that defers it.
func thrown(err *error) {
	switch v := recover().(type) {
	case nil:
	case js.Error:
		*err = thrownError{v.Value}
	default:
		panic(v)
	}
}

// A thrownError is what JavaScript threw, or rejected a Promise with. That may be anything, where a js.Error that is no
// object panics when it is asked for its text.
type thrownError struct{ js.Value }

// Error asks by calls, whose exceptions come back as panics: one that Value.Get meets ends the program.
func (e thrownError) Error() (text string) {
	defer func() {
		if recover() != nil {
			text = "a value that has no text"
		}
	}()
	if t := typeOf(e.Value); t == js.TypeObject || t == js.TypeFunction {
		if message := js.Global().Get("Reflect").Call("get", e.Value, "message"); typeOf(message) == js.TypeString {
			return message.String()
		}
	}
	return js.Global().Get("String").Invoke(e.Value).String()
}

// argumentError says what a method takes; its code is invalid_argument.
type argumentError string

func (e argumentError) Error() string { return string(e) }

// toJSError returns what was thrown by JavaScript itself, or makes an Error with a code.
func toJSError(err error) js.Value {
	if e, ok := err.(thrownError); ok {
		return e.Value
	}
	text := err.Error()
	if coded, ok := err.(*driver.Error); ok {
		text = driver.Text(coded)
	}
	object := js.Global().Get("Error").New(text)
	object.Set("name", "SyncError")
	if code := codeOf(err); code != "" {
		object.Set("code", code)
	}
	if own, ok := errors.AsType[thrownError](err); ok {
		object.Set("cause", own.Value)
	} else if own, ok := errors.AsType[js.Error](err); ok { // a listener's
		object.Set("cause", own.Value)
	}
	return object
}

// codeOf returns the name of the error's code. Of one that has no name here, because only WebSocket knows it or it is newer
// than this client, the class says what to do.
func codeOf(err error) string {
	if coded, ok := errors.AsType[*driver.Error](err); ok {
		if coded.Code.Sentence() != "" {
			return coded.Code.String()
		}
		switch coded.Code.Class().String() {
		case "reconnect":
			return "connection_lost"
		case "change_refused":
			return "refused"
		case "run_again":
			return "conflict"
		}
		return "unknown"
	}
	if _, ok := errors.AsType[argumentError](err); ok {
		return "invalid_argument"
	}
	return string(document.CodeOf(err))
}

// promise runs the work in a goroutine and returns a Promise of its result. A rejection that nobody handles is not
// reported by the page: whoever ignores a result hears of the error by onError.
func promise(work func() (js.Value, error)) js.Value {
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		resolve, reject := args[0], args[1]
		go func() {
			if v, err := work(); err != nil {
				reject.Invoke(toJSError(err))
			} else {
				resolve.Invoke(v)
			}
		}()
		return nil
	})
	defer executor.Release() // a Promise calls its executor at once
	made := js.Global().Get("Promise").New(executor)
	made.Call("catch", js.Global().Get("Function").Get("prototype"))
	return made
}

// rejected returns a Promise that is rejected with the error.
func rejected(err error) js.Value {
	return promise(func() (js.Value, error) { return js.Value{}, err })
}
