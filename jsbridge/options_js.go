package jsbridge

import (
	"errors"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// newClient makes a client of the constructor's arguments.
func newClient(args []js.Value) (*client, error) {
	if len(args) < 2 || typeOf(args[0]) != js.TypeString || typeOf(args[1]) != js.TypeString {
		return nil, argumentError("the endpoint and the client identifier are strings")
	}
	options := driver.Options{Clock: driver.PageClock, Compact: true}
	if len(args) > 2 {
		switch typeOf(args[2]) {
		case js.TypeString:
			token := args[2].String()
			options.Token = func(driver.Bound) (string, error) { return token, nil }
		case js.TypeFunction:
			options.Token = tokenSource(args[2])
		case js.TypeUndefined, js.TypeNull:
		default:
			return nil, argumentError("the access token is a string or a function; it may be left out")
		}
	}
	if len(args) > 3 && typeOf(args[3]) == js.TypeObject {
		options.TokenInQuery = js.Global().Get("Boolean").Invoke(args[3].Get("tokenInQuery")).Bool()
		if err := setLimits(&options, args[3]); err != nil {
			return nil, err
		}
	}
	made, err := driver.New(args[0].String(), args[1].String(), options)
	if err != nil {
		return nil, argumentError(err.Error())
	}
	return &client{Client: made}, nil
}

// tokenSource asks a JavaScript function for the token, and waits for it where that is a Promise.
func tokenSource(source js.Value) func(driver.Bound) (string, error) {
	return func(b driver.Bound) (token string, err error) {
		defer thrown(&err)
		made, err := settled(b, source.Invoke())
		if err != nil {
			return "", err
		}
		switch typeOf(made) {
		case js.TypeString:
			return made.String(), nil
		case js.TypeUndefined, js.TypeNull:
			return "", nil
		}
		return "", errors.New("the access token that the function gave is no string")
	}
}

// settled waits for what the Promise resolves with; what is no Promise is its own result.
func settled(b driver.Bound, promise js.Value) (js.Value, error) {
	resolved, rejected := make(chan js.Value, 1), make(chan js.Value, 1)
	var owned functions
	defer owned.release()
	send := func(to chan js.Value) js.Value {
		return owned.function(func(args []js.Value) js.Value {
			to <- args[0]
			return js.Undefined()
		})
	}
	js.Global().Get("Promise").Call("resolve", promise).Call("then", send(resolved), send(rejected))
	select {
	case v := <-resolved:
		return v, nil
	case reason := <-rejected:
		return js.Undefined(), thrownError{reason}
	case <-b.Done():
		return js.Undefined(), b.Err()
	}
}
