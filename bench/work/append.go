package work

import (
	"fmt"
	"strings"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/hub"
	"github.com/server-state-sync/server-state-sync/bench/process"
)

const appendSubscribers = 10

// appends measures the server's processor time per message that is added to an array, and what each subscriber reads
// for it. A peer that has no such change sends the whole array, which is version 1's way; with idiom everybody does.
func appends(length int, idiom bool, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		r.loop.ByFrame = true
		if err := r.gather(appendSubscribers); err != nil {
			return err
		}
		array := hub.Messages(length)
		f := r.flow(1)
		send := func(int) {
			message := hub.Message(length + f.sent)
			if !idiom && r.dialect.Append(r.publisher, "messages", []byte(message)) {
				return
			}
			array = array[:len(array)-1] + "," + message + "]"
			r.dialect.Merge(r.publisher, "messages", []byte(array))
		}
		// Where it has grown by half, the array is made anew, and that is not counted.
		renew := func(int) {
			array = hub.Messages(length)
			r.dialect.Merge(r.publisher, "messages", []byte(array))
		}
		turn := func(left time.Duration) error { return f.several(length/2, left, send) }
		if err := turn(r.time(d / 4)); err != nil {
			return err
		}
		var cpu process.CPU
		made, read := 0, 0
		for left := r.time(d); left > 0; {
			if err := f.several(1, time.Minute, renew); err != nil {
				return err
			}
			began, readBefore, start := f.sent, r.read(), time.Now()
			spent, err := r.spent(func() error { return turn(left) })
			if err != nil {
				return err
			}
			left -= time.Since(start)
			cpu = cpu.Plus(spent)
			made += f.sent - began
			read += r.read() - readBefore
		}
		if made == 0 {
			return fmt.Errorf("nothing was appended")
		}
		r.each("us", cpu, made)
		r.Values["bytes"] = float64(read) / float64(made*appendSubscribers)
		return nil
	}
}

// read returns what the subscribers have read from the network.
func (r *Round) read() int {
	sum := 0
	for _, c := range r.subscribers {
		sum += c.Bytes
	}
	return sum
}

// reads returns in how many pieces.
func (r *Round) reads() int {
	sum := 0
	for _, c := range r.subscribers {
		sum += c.Reads
	}
	return sum
}

// bigText is how large the state is that clients join at once.
const bigText = 100_000

// joins measures the server's processor time for each client that connects and joins a large state, and for each that
// comes back and has missed nothing, where the peer has that.
func joins(clients int) func(*Round) error {
	return func(r *Round) error {
		clients := r.n(clients, 50)
		first := func(int) int { return 0 }
		cpu, err := r.spent(func() (err error) {
			r.subscribers, err = r.open(clients, first, nil)
			return err
		})
		if err != nil {
			return err
		}
		for _, c := range r.subscribers {
			if c.Bytes < bigText {
				return fmt.Errorf("a client has joined, and was not given the whole state (%d bytes)", c.Bytes)
			}
		}
		r.each("us", cpu, clients)
		if !strings.Contains("ours floor centrifuge socket.io", r.Peer) {
			return nil
		}
		return r.comeBack(clients)
	}
}

// comeBack gives everybody an update, cuts all connections, and lets the clients resume.
func (r *Round) comeBack(clients int) error {
	before := r.subscribers
	publishers, err := r.open(1, func(int) int { return 0 }, nil)
	if err != nil {
		return err
	}
	f := r.flow(1)
	r.publisher = publishers[0]
	f.publish(1, f.merge)
	if err := r.loop.Until(func() bool { return f.completed == 1 }, time.Minute, "an update before the connections are cut"); err != nil {
		return err
	}
	for _, c := range before {
		c.Drop()
	}
	if err := r.quiet(); err != nil {
		return err
	}
	cpu, err := r.spent(func() (err error) {
		r.subscribers, err = r.open(clients, func(int) int { return 0 }, before)
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range r.subscribers {
		if c.Bytes > bigText {
			return fmt.Errorf("a client came back, and was given the whole state again (%d bytes)", c.Bytes)
		}
	}
	r.each("resume us", cpu, clients)
	return nil
}
