package document_test

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
)

func Example() {
	state, err := document.Parse([]byte(`{"title": "Chat", "messages": ["hello"], "count": 1}`), document.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ops, err := document.Resolve(state, []document.PatchOp{
		{Kind: document.Add, Path: "/messages/-", Value: document.MustOf("how are you?")},
		{Kind: document.Increment, Path: "/count", Value: document.MustOf(1)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, entry, err := document.Apply(state, ops, document.DefaultStateLimits)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(next)
	for _, op := range entry {
		fmt.Println(op.Kind, op.Path, op.Value)
	}
	fmt.Println(state) // as it was
	// Output:
	// {"count":2,"messages":["hello","how are you?"],"title":"Chat"}
	// add /messages/1 "how are you?"
	// increment /count 1
	// {"count":1,"messages":["hello"],"title":"Chat"}
}

func ExampleMerge() {
	state := document.MustOf(map[string]any{"messages": []string{"hello", "how are you?"}, "title": "Chat"})
	updates := document.MustOf(map[string]any{"messages": []string{"hello", "how are you?", "fine"}})
	for _, op := range document.Merge(state, updates) {
		fmt.Println(op.Kind, op.Path, op.Value)
	}
	// Output:
	// add /messages/2 "fine"
}

func ExampleValue_At() {
	state := document.MustOf(map[string]any{"users": []any{map[string]any{"a/b": 1}}})
	fmt.Println(state.At("/users/0/a~1b"))
	fmt.Println(state.At("/users/1").Exists())
	// Output:
	// 1
	// false
}
