package driver

import (
	"encoding/base64"
	"math/rand/v2"
	"net/url"
	"strconv"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

func TestSomebodyWhoLeavesTheLineLetsTheNextOneIn(t *testing.T) {
	var l line
	first, second, third := l.join(), l.join(), l.join()
	l.let()
	<-first
	l.leave(first) // was let in and does not want to any more
	<-second
	l.leave(third)
	if len(l.waiting) != 0 {
		t.Errorf("%d still wait", len(l.waiting))
	}
	back := l.join()
	front := l.rejoin()
	l.let()
	<-front
	l.letAll()
	<-back
}

func TestTheTokensAreWrittenAsTheStandardLibraryWritesThem(t *testing.T) {
	for range 1000 {
		token := make([]byte, rand.IntN(20))
		fillRandom(token)
		if got, want := encodeToken(string(token)), base64.RawURLEncoding.EncodeToString(token); got != want {
			t.Fatalf("encodeToken(%q) = %q, want %q", token, got, want)
		}
		back, err := url.QueryUnescape(escapeQuery(string(token)))
		if err != nil || back != string(token) {
			t.Fatalf("escapeQuery(%q) reads back as %q, %v", token, back, err)
		}
	}
}

// However updates are made into one, somebody who applies what it says to what he had has the last view.
func TestUpdatesMadeIntoOneLeadToTheSameView(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		views := []document.Value{randomView(random)}
		var updates []queued
		for range 1 + random.IntN(6) {
			next := randomView(random)
			u, _ := between(views[len(views)-1], next, []string{"a", "b", "c"}, Update{View: next})
			updates = append(updates, queued{update: u})
			views = append(views, next)
			if random.IntN(4) == 0 {
				updates = []queued{coalesce(updates)}
			}
		}
		whole := coalesce(updates)
		for i, seen := range views[:len(views)-1] {
			jump := whole.update
			if i > 0 {
				jump, _ = whole.after(seen)
			}
			if got := apply(seen, jump); !got.Equal(jump.View) {
				t.Fatalf("from view %d, %v, the jump %v without %v leads to %v, not to %v", i, seen, jump.Updates(), jump.Removed(), got, jump.View)
			}
			for name := range jump.Previous().Members() {
				if !jump.Previous().Get(name).Equal(seen.Get(name)) {
					t.Fatalf("the jump says that %s was %v; it was %v", name, jump.Previous().Get(name), seen.Get(name))
				}
			}
		}
	}
}

func randomView(random *rand.Rand) document.Value {
	v := document.EmptyObject
	for _, name := range []string{"a", "b", "c"} {
		if n := random.IntN(4); n > 0 {
			v = v.With(name, document.MustOf(strconv.Itoa(n)))
		}
	}
	return v
}

func apply(view document.Value, u Update) document.Value {
	for name, v := range u.Updates().Members() {
		view = view.With(name, v)
	}
	for _, name := range u.Removed() {
		view = view.Without(name)
	}
	return view
}
