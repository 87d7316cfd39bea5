package jsbridge

import (
	"context"
	"sync"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// A client is the Go client with the functions that JavaScript calls it by.
type client struct {
	*wasmclient.Client

	mu        sync.Mutex // guards functions
	functions []js.Func  // released by close
}

// function makes a JavaScript function that lives until the client is closed.
func (c *client) function(call func(args []js.Value) js.Value) js.Func {
	made := js.FuncOf(func(_ js.Value, args []js.Value) any { return call(args) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.functions = append(c.functions, made)
	return made
}

// release gives back what function made.
func (c *client) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, function := range c.functions {
		function.Release()
	}
	c.functions = nil
}

// Constructor returns the JavaScript function (endpoint, clientIdentifier, accessToken) that makes a client object, or
// returns an Error that says which argument is wrong.
func Constructor() js.Value {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		object, err := construct(args)
		if err != nil {
			return toJSError(err)
		}
		return object
	}).Value
}

func construct(args []js.Value) (js.Value, error) {
	var texts [3]string
	for i := range texts {
		switch {
		case i < len(args) && args[i].Type() == js.TypeString:
			texts[i] = args[i].String()
		case i == 2 && (i >= len(args) || args[i].IsUndefined() || args[i].IsNull()):
		default:
			return js.Value{}, argumentError("the endpoint, the client identifier and the access token are strings; the token may be left out")
		}
	}
	made, err := wasmclient.New(texts[0], texts[1], texts[2])
	if err != nil {
		return js.Value{}, argumentError(err.Error())
	}
	c := &client{Client: made}
	return c.object(), nil
}

// object returns the JavaScript object with the client's methods.
func (c *client) object() js.Value {
	object := js.Global().Get("Object").New()
	for name, method := range map[string]func(args []js.Value) js.Value{
		"onConnection":              c.onConnection,
		"connectToState":            c.connectToState,
		"updateState":               c.updateState,
		"patchState":                c.patchState,
		"getState":                  c.getState,
		"addStateUpdateListener":    c.addStateUpdateListener,
		"removeStateUpdateListener": c.removeStateUpdateListener,
		"onError":                   c.onError,
		"close":                     c.close,
	} {
		object.Set(name, c.function(method))
	}
	return object
}

func (c *client) onConnection([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		return js.Undefined(), c.OnConnection(context.Background())
	})
}

// connectToState(identifier) resolves with the state's value.
func (c *client) connectToState(args []js.Value) js.Value {
	if len(args) < 1 || args[0].Type() != js.TypeString {
		return rejected(argumentError("connectToState takes the identifier of a state, a string"))
	}
	identifier := args[0].String()
	return promise(func() (js.Value, error) {
		s, err := c.ConnectToState(context.Background(), identifier)
		if err != nil {
			return js.Value{}, err
		}
		return toJS(s.GetState()), nil
	})
}

// updateState(updates) and updateState(previous => updates) resolve with the version.
func (c *client) updateState(args []js.Value) js.Value {
	if len(args) < 1 {
		return rejected(argumentError("updateState takes an object of updates, or a function that returns one"))
	}
	if args[0].Type() == js.TypeFunction {
		return promise(func() (js.Value, error) { return c.transact(args[0]) })
	}
	updates, err := fromJS(args[0])
	if err != nil {
		return rejected(err)
	}
	return promise(func() (js.Value, error) {
		version, err := c.UpdateState(context.Background(), updates)
		return js.ValueOf(float64(version)), err
	})
}

func (c *client) transact(update js.Value) (js.Value, error) {
	version, err := c.Transact(context.Background(), nil, func(previous document.Value) (updates any, err error) {
		defer thrown(&err)
		return fromJS(update.Invoke(toJS(previous)))
	})
	return js.ValueOf(float64(version)), err
}

// patchState(operations) takes RFC 6902's operations and increment.
func (c *client) patchState(args []js.Value) js.Value {
	if len(args) < 1 {
		return rejected(argumentError("patchState takes an array of operations"))
	}
	text, err := stringify(args[0])
	if err != nil {
		return rejected(err)
	}
	ops, err := document.ParsePatch(text, document.Limits{})
	if err != nil {
		return rejected(err)
	}
	return promise(func() (js.Value, error) {
		version, err := c.PatchState(context.Background(), ops...)
		return js.ValueOf(float64(version)), err
	})
}

func (c *client) getState([]js.Value) js.Value { return toJS(c.GetState()) }

// addStateUpdateListener(listenerIdentifier, (updates, previous) => ..., properties).
func (c *client) addStateUpdateListener(args []js.Value) js.Value {
	if len(args) < 2 || args[0].Type() != js.TypeString || args[1].Type() != js.TypeFunction {
		return toJSError(argumentError("addStateUpdateListener takes an identifier, a function, and a list of properties or nothing"))
	}
	call := args[1]
	var properties []string
	if len(args) > 2 && args[2].InstanceOf(js.Global().Get("Array")) {
		for i := range args[2].Length() {
			properties = append(properties, args[2].Index(i).String())
		}
	}
	c.AddStateUpdateListener(args[0].String(), func(u wasmclient.Update) {
		call.Invoke(toJS(u.Updates), toJS(u.Previous))
	}, properties...)
	return js.Undefined()
}

func (c *client) removeStateUpdateListener(args []js.Value) js.Value {
	return js.ValueOf(len(args) > 0 && args[0].Type() == js.TypeString && c.RemoveStateUpdateListener(args[0].String()))
}

// onError(listener) tells the listener of every error and returns a function that ends this; onError() is a Promise of
// the oldest error that nobody was told of.
func (c *client) onError(args []js.Value) js.Value {
	if len(args) > 0 && args[0].Type() == js.TypeFunction {
		unsubscribe := c.OnError(func(err error) { args[0].Invoke(toJSError(err)) })
		return c.function(func([]js.Value) js.Value {
			unsubscribe()
			return js.Undefined()
		}).Value
	}
	return promise(func() (js.Value, error) {
		told, unsubscribe := make(chan error), make(chan func(), 1)
		unsubscribe <- c.OnError(func(err error) {
			(<-unsubscribe)() // before the next error is taken
			told <- err
		})
		return toJSError(<-told), nil
	})
}

// close() resolves when the client has ended, and gives its functions back.
func (c *client) close([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		defer c.release()
		return js.Undefined(), c.Close()
	})
}
