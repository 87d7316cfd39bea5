package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCloseUnderLoad closes servers whose connections have something to write at any moment; the race detector looks on.
func TestCloseUnderLoad(t *testing.T) {
	for round := range 8 {
		s := listen(t, Options{})
		brief := func(context.Context, *Update) error {
			time.Sleep(100 * time.Microsecond) // a rule that takes its time
			return nil
		}
		if _, err := s.CreateState(StateOptions{Identifier: "s", InterceptStateUpdate: brief}); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			c := dialRaw(t, s, nil)
			messages := []string{fmt.Sprintf(`["hello","0123456789abcdef%d","a",{}]`, i), `["join",1,"s"]`}
			c.send(messages...)
			joined := make(chan struct{})
			go func() {
				waiting := true
				for {
					_, frame, err := c.conn.Read(c.ctx)
					if waiting && (err != nil || strings.Contains(string(frame), `["joined",`)) {
						waiting = false
						close(joined)
					}
					if err != nil {
						return
					}
				}
			}()
			<-joined
			messages = messages[:0]
			for number := range 100 {
				messages = append(messages, fmt.Sprintf(`["merge",1,%d,0,{"k%d":%d}]`, number+1, i, number))
			}
			c.send(messages...)
		}
		time.Sleep(time.Duration(round) * 3 * time.Millisecond) // another moment in each round; nothing waits for it
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
