package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// chatting is a server of rooms with a clock of the test's.
type chatting struct {
	t       *testing.T
	syncer  *server.StateSyncer
	address string
	at      time.Time
}

func openRooms(t *testing.T, change func(*rooms, *server.Options)) *chatting {
	t.Helper()
	c := &chatting{t: t, at: time.UnixMilli(1_700_000_000_000)}
	r := &rooms{longest: 20, rate: 2, burst: 3, history: 5, most: 1000, now: func() time.Time { return c.at }, making: newMaking(), paces: map[string]*rate.Limiter{}}
	options := r.options()
	options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	if change != nil {
		change(r, &options)
	}
	r.count = func() int { return c.syncer.Stats().States }
	syncer, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syncer.Close() })
	if err := syncer.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c.syncer, c.address = syncer, "ws://"+syncer.Addr().String()
	return c
}

func (c *chatting) client(name, token string) *wasmclient.Client {
	c.t.Helper()
	client, err := wasmclient.New(c.address, name, token)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *chatting) enter(client *wasmclient.Client, room string) *wasmclient.State {
	c.t.Helper()
	state, err := client.ConnectToState(c.t.Context(), room)
	if err != nil {
		c.t.Fatal(err)
	}
	return state
}

func says(id, text string) map[string]any {
	return map[string]any{"id": id, "from": "Ann", "text": text}
}

func TestAMessageGetsTheServersTime(t *testing.T) {
	c := openRooms(t, nil)
	room := c.enter(c.client("ann", ""), "tea")
	if _, err := room.Append(t.Context(), "messages", says("1", "hello")); err != nil {
		t.Fatal(err)
	}
	if got, want := room.GetState().String(), `{"messages":[{"at":1700000000000,"from":"Ann","id":"1","text":"hello"}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestARoomSaysWhatItRefuses(t *testing.T) {
	const only = "In a room one can add a message at the end, one at a time, and nothing else."
	for name, row := range map[string]struct {
		change func(context.Context, *wasmclient.State) error
		want   string
	}{
		"too long":  {appending(says("1", strings.Repeat("ä", 21))), "The message is too long: it has 21 characters, and 20 are allowed."},
		"empty":     {appending(says("1", " \t")), "The message is empty."},
		"invisible": {appending(says("1", "\u200b\u0000\u2060 ")), "The message is empty."},
		"no text":   {appending(map[string]any{"id": "1", "from": "Ann"}), `A message is {"id", "from", "text"}.`},
		"long name": {appending(map[string]any{"id": "1", "from": strings.Repeat("n", 41), "text": "x"}),
			"The name is too long: 40 characters are allowed."},
		"something more": {appending(map[string]any{"id": "1", "from": "Ann", "text": "x", "junk": strings.Repeat("j", 1000)}),
			`A message is {"id", "from", "text"}.`},
		"long id":     {appending(says(strings.Repeat("i", 65), "x")), "The id of a message has 1 to 64 bytes."},
		"two at once": {appending(says("1", "a"), says("2", "b")), only},
		"set": {func(ctx context.Context, s *wasmclient.State) error {
			_, err := s.UpdateState(ctx, map[string]any{"messages": []any{"x"}, "topic": "y"})
			return err
		}, only},
		"another property": {func(ctx context.Context, s *wasmclient.State) error {
			_, err := s.Set(ctx, "/topic", "y")
			return err
		}, only},
		"the id of another one": {func(ctx context.Context, s *wasmclient.State) error {
			if _, err := s.Append(ctx, "messages", says("1", "a")); err != nil {
				return err
			}
			_, err := s.Append(ctx, "messages", says("1", "b"))
			return err
		}, "The room has a message with this id: send yours with an id of its own."},
		"at the beginning": {func(ctx context.Context, s *wasmclient.State) error {
			if _, err := s.Append(ctx, "messages", says("1", "a")); err != nil {
				return err
			}
			_, err := s.Insert(ctx, "messages", 0, says("2", "b"))
			return err
		}, only},
	} {
		t.Run(name, func(t *testing.T) {
			c := openRooms(t, nil)
			err := row.change(t.Context(), c.enter(c.client("ann", ""), "tea"))
			refusal := new(wasmclient.Error)
			if !errors.Is(err, wasmclient.ErrRefused) || !errors.As(err, &refusal) || refusal.Reason != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func appending(messages ...any) func(context.Context, *wasmclient.State) error {
	return func(ctx context.Context, s *wasmclient.State) error {
		_, err := s.Append(ctx, "messages", messages...)
		return err
	}
}

func TestEachUserHasAPaceOfTheirOwn(t *testing.T) {
	c := openRooms(t, nil)
	ann, bob := c.enter(c.client("ann", ""), "tea"), c.enter(c.client("bob", ""), "tea")
	for i := range 3 {
		if _, err := ann.Append(t.Context(), "messages", says(fmt.Sprint(i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ann.Append(t.Context(), "messages", says("3", "x")); !errors.Is(err, wasmclient.ErrRefused) {
		t.Errorf("the message beyond the burst: %v", err)
	}
	if _, err := bob.Append(t.Context(), "messages", says("4", "x")); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
	second := c.enter(c.client("ann", ""), "coffee") // another tab in another room
	if _, err := second.Append(t.Context(), "messages", says("5", "x")); !errors.Is(err, wasmclient.ErrRefused) {
		t.Errorf("the same user's elsewhere: %v", err)
	}
	c.at = c.at.Add(time.Second)
	if _, err := ann.Append(t.Context(), "messages", says("6", "x")); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

func TestPacesAreBoundedAndNobodyIsWithout(t *testing.T) {
	at := time.UnixMilli(0)
	r := &rooms{rate: 1, burst: 2, now: func() time.Time { return at }, paces: map[string]*rate.Limiter{}}
	for i := range mostPaces {
		r.pace(fmt.Sprint(i)).AllowN(at, 1)
	}
	for i := range 20 { // one who finds no place, and others
		if got, want := r.pace(fmt.Sprint("late", i/10)).AllowN(at, 1), i < 2; got != want {
			t.Errorf("message %d of those without a place: got %v, want %v", i, got, want)
		}
	}
	if got, want := len(r.paces), mostPaces+1; got != want { // theirs together
		t.Errorf("%d paces are kept, want %d", got, want)
	}
	if !r.pace("0").AllowN(at, 1) {
		t.Error("who has a place is slowed down by those without")
	}
	at = at.Add(time.Hour)
	r.pace("another")
	if got := len(r.paces); got != 2 {
		t.Errorf("%d paces are kept of users who may send a whole burst", got-1)
	}
}

func TestTheOldestMessagesGo(t *testing.T) {
	c := openRooms(t, func(r *rooms, _ *server.Options) { r.burst = 100 })
	room := c.enter(c.client("ann", ""), "tea")
	for i := range 12 {
		if _, err := room.Append(t.Context(), "messages", says(fmt.Sprint(i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, m := range room.GetState().Get("messages").Elements() {
		ids = append(ids, m.Get("id").Text())
	}
	if got := strings.Join(ids, " "); got != "7 8 9 10 11" {
		t.Errorf("the room has %s", got)
	}
}

// However long messages may be and however many are kept, a room takes another one.
func TestARoomIsNeverTooLarge(t *testing.T) {
	const longest, history = 150_000, 12 // of characters with six bytes each, which is more than a state has by default
	r := &rooms{longest: longest, rate: 100, burst: 100, history: history, most: 10, now: time.Now, making: newMaking(), paces: map[string]*rate.Limiter{}}
	options := r.options()
	syncer, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syncer.Close() }()
	room, _ := r.restore(lobby)
	if _, err := syncer.CreateState(room); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("\x01", longest-1) + "x"
	for i := range history + 2 {
		message := document.MustOf(says(fmt.Sprint(i), text))
		if _, err := syncer.PatchState(t.Context(), lobby, []document.PatchOp{{Kind: document.Add, Path: "/messages/-", Value: message}}); err != nil {
			t.Fatalf("message %d: %.200v", i, err)
		}
	}
	value, _ := syncer.GetValueOfState(lobby)
	if got := value.Get("messages").Len(); got != history {
		t.Errorf("the room has %d messages, want %d", got, history)
	}
}

func TestWhoMayEnter(t *testing.T) {
	const unnamed = "There is no such room: a room's name has up to 40 letters, digits, _ and -."
	invalid := &wasmclient.Error{Code: protocol.CodeIdentifierInvalid}
	for _, row := range []struct {
		token, room string
		want        error // nil: may enter
		reason      string
	}{
		{"", "tea", nil, ""},
		{"anything", "members-tea", nil, ""},
		{"", "members-tea", wasmclient.ErrNotAllowed, ""},
		{"wrong", "tea", wasmclient.ErrUnauthorized, "This access token is not known here."},
		{strings.Repeat("t", longestToken), "members-tea", nil, ""},
		{strings.Repeat("t", longestToken+1), "tea", wasmclient.ErrUnauthorized, "The access token is too long: 4096 bytes are allowed."},
		{"", "हिन्दी", nil, ""},
		{"", "cafe\u0301", nil, ""},
		{"", strings.Repeat("\U0001F12F", 41), wasmclient.ErrStateNotFound, unnamed},
		{"", strings.Repeat("a", 40), nil, ""},
		{"", strings.Repeat("a", 41), wasmclient.ErrStateNotFound, unnamed},
		{"", "no such room", wasmclient.ErrStateNotFound, unnamed},
		{"", "\u0301a", wasmclient.ErrStateNotFound, unnamed},
		{"", "..", wasmclient.ErrStateNotFound, unnamed},
		{"", "a/b", wasmclient.ErrStateNotFound, unnamed},
		{"", "a%2Fb", wasmclient.ErrStateNotFound, unnamed},
		{"", "tea\u202e", wasmclient.ErrStateNotFound, unnamed},
		{"", strings.Repeat("a", 257), invalid, ""},
		{"", "", invalid, ""},
	} {
		t.Run(fmt.Sprintf("%.10s in %.50s", row.token, row.room), func(t *testing.T) {
			c := openRooms(t, nil)
			_, err := c.client("ann", row.token).ConnectToState(t.Context(), row.room)
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if refusal := new(wasmclient.Error); row.reason != "" && (!errors.As(err, &refusal) || refusal.Reason != row.reason) {
				t.Errorf("got %v, want %q", err, row.reason)
			}
		})
	}
}

// reasonOf returns what a client was told.
func reasonOf(err error) string {
	if refusal := new(wasmclient.Error); errors.As(err, &refusal) {
		return refusal.Reason
	}
	return fmt.Sprint(err)
}

func TestRoomsAreBounded(t *testing.T) {
	c := openRooms(t, func(r *rooms, _ *server.Options) { r.most = 3 })
	ann := c.client("ann", "")
	for i := range 3 {
		c.enter(ann, fmt.Sprint("room", i))
	}
	_, err := ann.ConnectToState(t.Context(), "room3")
	if got, want := reasonOf(err), "There are 3 rooms, and no more at a time: enter one of them, or come back when some have ended."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.enter(c.client("bob", ""), "room1") // one that is there
	c.syncer.RemoveState("room0")
	c.enter(ann, "room3")
}

func TestRoomsAreMadeAtAPace(t *testing.T) {
	c := openRooms(t, nil)
	var ann *wasmclient.Client
	for i := range madeAtOnce {
		if i%mostPerConnection == 0 {
			ann = c.client(fmt.Sprint("ann", i), "")
		}
		c.enter(ann, fmt.Sprint("room", i))
	}
	_, err := ann.ConnectToState(t.Context(), "another")
	if got, want := reasonOf(err), "Too many rooms are being made: wait a moment and connect again."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.at = c.at.Add(time.Second)
	c.enter(ann, "another")
}

func TestAConnectionIsInSoManyRooms(t *testing.T) {
	c := openRooms(t, nil)
	ann := c.client("ann", "")
	for i := range mostPerConnection {
		c.enter(ann, fmt.Sprint("room", i))
	}
	_, err := ann.ConnectToState(t.Context(), "another")
	if want := (&wasmclient.Error{Code: protocol.CodeTooManyStates}); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestNoRoomIsMadeForWhoMayNotEnter(t *testing.T) {
	c := openRooms(t, nil)
	if _, err := c.client("ann", "").ConnectToState(t.Context(), "members-tea"); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("got %v, want %v", err, wasmclient.ErrNotAllowed)
	}
	if _, there := c.syncer.GetValueOfState("members-tea"); there {
		t.Error("the room was made")
	}
	c.enter(c.client("bob", "bob's"), "members-tea")
	if _, err := c.client("ann", "").ConnectToState(t.Context(), "members-tea"); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("when the room is there: got %v, want %v", err, wasmclient.ErrNotAllowed)
	}
}

func TestARoomEndsWhenAllHaveLeft(t *testing.T) {
	c := openRooms(t, func(_ *rooms, options *server.Options) {
		options.ReconnectGrace, options.SelfDestructInterval = time.Millisecond, time.Millisecond
	})
	for _, room := range []string{"tea", lobby} {
		client := c.client("ann", "")
		c.enter(client, room)
		_ = client.Close()
	}
	for { // as long as the test may take
		if _, there := c.syncer.GetValueOfState("tea"); !there {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if _, there := c.syncer.GetValueOfState(lobby); !there {
		t.Error("the lobby has ended")
	}
}

func TestARoomIsKeptWithItsRules(t *testing.T) {
	store := stores.NewMemory() // outlives the servers here
	keeping := func(_ *rooms, options *server.Options) { options.Store = store }
	first := openRooms(t, keeping)
	if _, err := first.enter(first.client("ann", ""), "tea").Append(t.Context(), "messages", says("1", "hello")); err != nil {
		t.Fatal(err)
	}
	_ = first.syncer.Close()
	second := openRooms(t, keeping)
	room := second.enter(second.client("bob", ""), "tea")
	if got := room.GetState().Get("messages").Len(); got != 1 {
		t.Errorf("the room has %d messages", got)
	}
	if _, err := room.PatchState(t.Context(), document.PatchOp{Kind: document.Remove, Path: "/messages/0"}); !errors.Is(err, wasmclient.ErrRefused) {
		t.Errorf("a message may be removed: %v", err)
	}
}
