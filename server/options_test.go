package server

import (
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"
)

func TestZeroOptionsHaveTheirDefaults(t *testing.T) {
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger != slog.Default() || o.clock == nil || o.random == nil {
		t.Error("a default is missing")
	}
	o.Logger, o.clock, o.random = nil, nil, nil
	want := Options{
		Heartbeat: 15 * time.Second, HandshakeTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		MessageTimeout: 10 * time.Second, InterceptTimeout: 5 * time.Second, ReconnectGrace: 30 * time.Second,
		SessionExpiry: 10 * time.Minute, TransactionTurn: 250 * time.Millisecond, SelfDestructInterval: 30 * time.Second,
		DrainSpread: 5 * time.Second, RestAfter: 5 * time.Minute, checkpointBytes: 64 << 10,
		Limits: Limits{
			Connections: 100_000, Sessions: 100_000, States: 100_000, StatesPerConnection: 1000, Message: 1 << 20,
			State: 8 << 20, Depth: 64, Key: 768, Operations: 10_000, Window: 512, WindowBytes: 4 << 20,
			Inbox: 65_536, InboxBytes: 16 << 20,
			HistoryEntries: 4096, HistoryBytes: 1 << 20, CarryWork: 100_000, BatchBytes: 64 << 10, Fragments: 1024,
			Pings: 20, SendBuffer: 64 << 10, FrameBurst: 1,
		},
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got\n%+v\nwant\n%+v", o, want)
	}
}

func TestOptionsThatAreSetStay(t *testing.T) {
	o, err := Options{Heartbeat: time.Hour, Limits: Limits{Window: 7, FramesPerSecond: 9}}.withDefaults()
	if err != nil || o.Heartbeat != time.Hour || o.Limits.Window != 7 || o.Limits.FrameBurst != 9 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestBadOptionsAreAnError(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Heartbeat: -1}, "new state syncer: option Heartbeat is -1ns, and must not be negative"},
		{Options{Heartbeat: time.Microsecond}, "new state syncer: option Heartbeat is 1µs, and must be at least 1ms"},
		{Options{ReconnectGrace: time.Hour}, "new state syncer: option SessionExpiry is 10m0s, and must not be less than ReconnectGrace, 1h0m0s"},
		{Options{Limits: Limits{Window: -1}}, "new state syncer: option Limits.Window is -1, and must not be negative"},
		{Options{AllowedOrigins: []string{"example.com"}}, `new state syncer: option AllowedOrigins: "example.com" is not an origin: …`},
		{Options{AllowedOrigins: []string{"https://example.com/"}}, `new state syncer: option AllowedOrigins: "https://example.com/" is not an origin: …`},
		{Options{AllowedOrigins: []string{"https://bücher.example"}}, `new state syncer: option AllowedOrigins: "https://bücher.example" is not an origin: …`},
		{Options{TLS: &TLS{}}, "new state syncer: option TLS: …"},
		{Options{TLS: &TLS{CertFile: "no such file", KeyFile: "none"}}, "new state syncer: option TLS: open no such file: …"},
		{Options{TLS: &TLS{CertFile: "a", Cert: []byte("b")}}, "new state syncer: option TLS: give CertFile and KeyFile or Cert and Key, not both"},
	} {
		if _, err := New(test.options); !matches(fmt.Sprint(err), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestCreateErrors(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{State: 10}})
	f.create(StateOptions{Identifier: "s"})
	for _, test := range []struct {
		options StateOptions
		want    string
	}{
		{StateOptions{Identifier: "s"}, `create state "s": a state with this identifier exists`},
		{StateOptions{Identifier: "\n"}, `create state "\n": identifier_invalid: …`},
		{StateOptions{Identifier: "a", InitialValue: 3}, `create state "a": invalid_patch: updates are an object, and this is number`},
		{StateOptions{Identifier: "a", InitialValue: map[string]any{"long": "long long"}}, `create state "a": state_too_large: …`},
		{StateOptions{Identifier: "a", TTL: -1}, `create state "a": its TTL is -1ns, and must not be negative`},
	} {
		if _, err := f.CreateState(test.options); !matches(fmt.Sprint(err), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if got := f.Stats().States; got != 1 {
		t.Errorf("%d states", got)
	}
}
