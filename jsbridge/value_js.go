package jsbridge

import (
	"errors"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// toJS lets the page parse the value; the absent value is undefined.
func toJS(v document.Value) js.Value {
	if !v.Exists() {
		return js.Undefined()
	}
	return js.Global().Get("JSON").Call("parse", v.String())
}

// fromJS lets the page write the value, and checks the text as anybody's. What JSON cannot write, such as a function or
// an object that holds itself, is an error.
func fromJS(v js.Value) (value document.Value, err error) {
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			err = thrown
		}
	}()
	text := js.Global().Get("JSON").Call("stringify", v)
	if text.Type() != js.TypeString {
		return document.Value{}, errors.New("the value has no JSON form")
	}
	return document.Parse([]byte(text.String()), document.Limits{})
}

// toJSError makes an Error with the code's name as its code.
func toJSError(err error) js.Value {
	object := js.Global().Get("Error").New(err.Error())
	var coded *wasmclient.Error
	if errors.As(err, &coded) {
		object.Set("code", coded.Code.String())
	}
	var thrown js.Error
	if errors.As(err, &thrown) {
		object.Set("cause", thrown.Value)
	}
	return object
}

// promise runs the work in a goroutine and returns a Promise of its result. A rejection that nobody handles is not
// reported by the page: whoever ignores a result hears of the error by onError.
func promise(work func() (js.Value, error)) js.Value {
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, args []js.Value) any {
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
