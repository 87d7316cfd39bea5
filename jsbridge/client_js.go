package jsbridge

import (
	"slices"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// A client is the Go client with the functions that JavaScript calls it by.
type client struct {
	*driver.Client
	functions
	states []*state // not left yet
}

// publish returns the JavaScript object with the client's methods.
func (c *client) publish() js.Value {
	return c.object(append(c.methods(), changes(c.Client)...))
}

func (c *client) methods() []method {
	return []method{
		{"onConnection", c.onConnection},
		{"connectToState", c.connectToState},
		{"state", c.state},
		{"onError", c.onError},
		{"onStatus", c.onStatus},
		{"status", func([]js.Value) js.Value { return c.statusOf(c.Status()) }},
		{"close", c.close},
	}
}

func (c *client) onConnection([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		return js.Undefined(), c.OnConnection(driver.Forever)
	})
}

// connectToState(identifier) resolves with the state's value.
func (c *client) connectToState(args []js.Value) js.Value {
	if len(args) < 1 || typeOf(args[0]) != js.TypeString {
		return rejected(argumentError("connectToState takes the identifier of a state, a string"))
	}
	identifier := args[0].String()
	return promise(func() (js.Value, error) {
		s, err := c.ConnectToState(driver.Forever, identifier)
		if err != nil {
			return js.Value{}, err
		}
		return toJS(s.GetState()), nil
	})
}

// state(identifier) begins to connect to a state and returns its object.
func (c *client) state(args []js.Value) js.Value {
	if len(args) < 1 || typeOf(args[0]) != js.TypeString {
		return toJSError(argumentError("state takes the identifier of a state, a string"))
	}
	s := &state{State: c.State(args[0].String()), client: c}
	c.states = append(c.states, s)
	return s.object(append(s.methods(), changes(s.State)...))
}

// onError(listener) tells the listener of every error and returns a function that ends this; onError() is a Promise of
// the oldest error that nobody was told of.
func (c *client) onError(args []js.Value) js.Value {
	if len(args) > 0 && typeOf(args[0]) == js.TypeFunction {
		return c.ending(c.OnError(func(err error) { args[0].Invoke(toJSError(err)) }))
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

// onStatus(listener) tells the listener when the status has changed, and returns a function that ends this.
func (c *client) onStatus(args []js.Value) js.Value {
	if len(args) < 1 || typeOf(args[0]) != js.TypeFunction {
		return toJSError(argumentError("onStatus takes a function"))
	}
	return c.ending(c.OnStatus(func(status driver.Status) { args[0].Invoke(c.statusOf(status)) }))
}

// ending makes a function of what ends a subscription.
func (c *client) ending(unsubscribe func()) js.Value {
	return c.function(func([]js.Value) js.Value {
		unsubscribe()
		return js.Undefined()
	})
}

// close() resolves when the client has ended, and gives all functions back.
func (c *client) close([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		err := c.Close()
		for _, s := range slices.Clone(c.states) {
			s.release()
		}
		c.release()
		return js.Undefined(), err
	})
}

// statusOf returns the record of the JavaScript package, but for the changes that wait, which it counts itself.
func (c *client) statusOf(status driver.Status) js.Value {
	object := js.Global().Get("Object").New()
	object.Set("phase", status.Phase.String())
	object.Set("everConnected", status.EverConnected)
	object.Set("attempt", status.Attempt)
	object.Set("nextRetryAt", js.Null())
	if status.Phase == driver.Waiting {
		wait := int64(status.NextRetry) - c.Clock().Now()
		object.Set("nextRetryAt", js.Global().Get("Date").Call("now").Float()+float64(wait))
	}
	object.Set("pending", status.Pending)
	object.Set("latencyMs", js.Null())
	if status.Latency != 0 {
		object.Set("latencyMs", float64(status.Latency))
	}
	object.Set("lastError", js.Null())
	if status.LastError != nil {
		object.Set("lastError", toJSError(status.LastError))
	}
	return object
}
