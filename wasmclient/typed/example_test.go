package typed_test

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient/typed"
)

type score struct {
	Player string `json:"player"`
	Points int    `json:"points"`
}

func ExampleEncode() {
	v, err := typed.Encode(score{"ada", 3})
	fmt.Println(v, err)
	// Output: {"player":"ada","points":3} <nil>
}

func ExampleDecode() {
	s, err := typed.Decode[score](document.MustOf(map[string]any{"player": "ada", "points": 3, "other": true}))
	fmt.Printf("%+v %v\n", s, err)
	_, err = typed.Decode[score](document.MustOf([]any{}))
	fmt.Println(err)
	// Output:
	// {Player:ada Points:3} <nil>
	// decode the state as typed_test.score: json: cannot unmarshal array into Go value of type typed_test.score
}
