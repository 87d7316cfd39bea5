//go:build !js

package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// native is the Go client, as two clients: those that join late are another one.
type native struct {
	early, late *wasmclient.Client

	mu     sync.Mutex
	states map[string]*wasmclient.State // by the key of the join
}

func newNative(t *testing.T, addr string) *native {
	t.Helper()
	client := func(identifier string) *wasmclient.Client {
		private := &http.Transport{} // so that no idle connection outlives the test
		c, err := wasmclient.New("ws://"+addr, identifier, "", wasmclient.WithBackoff(time.Millisecond, 20*time.Millisecond), wasmclient.WithConnectTimeout(patience),
			wasmclient.WithHTTPClient(&http.Client{Transport: private}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.Close()
			private.CloseIdleConnections()
		})
		return c
	}
	return &native{early: client("native early"), late: client("native late"), states: map[string]*wasmclient.State{}}
}

func (n *native) state(key string) *wasmclient.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.states[key]
}

func (n *native) join(ctx context.Context, key, identifier string, late bool) (string, error) {
	client := n.early
	if late {
		client = n.late
	}
	s, err := client.ConnectToState(ctx, identifier)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.states[key] = s
	return s.GetState().String(), nil
}

func (n *native) leave(_ context.Context, key string) error {
	n.state(key).Leave()
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.states, key)
	return nil
}

func (n *native) fenced(ctx context.Context, key string) (string, error) {
	for s := n.state(key); ; {
		if view := s.GetState(); view.Get(fence).Exists() {
			return view.String(), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the fence in %.200s: %w", s.GetState().String(), ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

func (n *native) change(ctx context.Context, key string, s step) (string, error) {
	err := changeNatively(ctx, n.state(key), s)
	if err == nil {
		return "", nil
	}
	if code := codeOf(err); code != "" {
		return code, nil
	}
	return "", err
}

func codeOf(err error) string {
	var coded *wasmclient.Error
	if errors.As(err, &coded) {
		return coded.Code.String()
	}
	return string(document.CodeOf(err))
}

func changeNatively(ctx context.Context, state *wasmclient.State, s step) error {
	switch s.Do {
	case "patch":
		ops, err := patchOf(s.Text)
		if err == nil {
			_, err = state.PatchState(ctx, ops...)
		}
		return err
	case "remove":
		_, err := state.Remove(ctx, s.At)
		return err
	}
	value, err := document.Parse([]byte(s.Text), document.Limits{})
	if err != nil {
		return err
	}
	switch s.Do {
	case "merge":
		_, err = state.UpdateState(ctx, value)
	case "transaction":
		_, err = state.Transact(ctx, nil, func(document.Value) (any, error) { return value, nil })
	case "append":
		_, err = state.Append(ctx, s.At, value)
	case "increment":
		if value.Kind() != document.Number { // a Go program cannot write that
			_, err = state.PatchState(ctx, document.PatchOp{Kind: document.Increment, Path: "/" + s.At, Value: value})
			break
		}
		_, err = state.Increment(ctx, s.At, value.Number())
	default:
		err = errors.New("a Go program does no " + s.Do)
	}
	return err
}

// patchOf returns the operations of a JSON Patch as a Go program has them, each value checked by itself.
func patchOf(text string) ([]document.PatchOp, error) {
	ops, err := document.ParsePatch([]byte(text), document.Limits{Bytes: document.MaxBytes, Depth: document.MaxDepth, KeyBytes: document.MaxBytes})
	for i := range ops {
		if ops[i].Value.Exists() {
			if ops[i].Value, err = document.Parse([]byte(ops[i].Value.String()), document.Limits{}); err != nil {
				return nil, errors.Join(errors.New("operation "+strconv.Itoa(i)), err)
			}
		}
	}
	return ops, err
}
