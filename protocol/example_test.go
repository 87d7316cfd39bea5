package protocol_test

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/protocol"
)

func ExampleDecodeClient() {
	frame := `["leave",2]
["merge",1,7,41,{"count":1e400}]
["merge",1,8]`
	err := protocol.DecodeClient([]byte(frame), protocol.Limits{}, func(m protocol.ClientMessage) error {
		switch m := m.(type) {
		case protocol.Leave:
			fmt.Println("leave state", m.N)
		case protocol.Merge:
			fmt.Printf("refuse change %d: %v\n", m.Number, m.Fault)
		}
		return nil
	})
	fmt.Println("end the connection:", err)
	// Output:
	// leave state 2
	// refuse change 7: number_out_of_range: updates (element 4): the number 1e400 is beyond what a double holds exactly (at /count)
	// end the connection: bad_message: merge: the message ends after 2 elements, and it takes n, number, base, updates
}

func ExampleAppend() {
	frame := protocol.Append(nil, protocol.Ping{})
	frame = protocol.Append(append(frame, '\n'), protocol.Bye{Code: protocol.CodeShuttingDown, Reason: "back soon", RetryAfter: 1500})
	fmt.Printf("%s\n", frame)
	// Output:
	// ["ping"]
	// ["bye",4000,"back soon",1500]
}
