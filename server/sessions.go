package server

import "github.com/server-state-sync/server-state-sync/stores"

// readStore takes the sessions that the store has, as away since now, as many as there may be.
func (t *sessions) readStore(store stores.Store) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var drop []string
	err := store.Sessions(func(id string, text []byte) {
		k, err := parseSession(text)
		if err != nil || len(t.byID) >= t.server.options.Limits.Sessions {
			drop = append(drop, id)
			return
		}
		s := &session{id: id, epoch: k.Epoch, clientIdentifier: k.ClientIdentifier, owner: k.Owner, restored: true, since: t.server.options.clock.Now()}
		s.kept.Store(true)
		t.byID[id] = s
		t.putAway(s)
		t.reviewAfter(s, t.server.options.SessionExpiry)
	})
	if len(drop) > 0 {
		t.unkeep(drop...)
	}
	return err
}

// keep lets the store keep the session. It is called before the first change of the session is appended to a log.
func (t *sessions) keep(s *session) error {
	if s.kept.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.kept.Load() || t.byID[s.id] != s {
		return nil // somebody else was faster, or it is forgotten, and nobody will ask for it
	}
	if err := t.server.options.Store.KeepSession(s.id, sessionText(s)); err != nil {
		return err
	}
	s.kept.Store(true)
	if s.away != nil {
		t.takeBack(s)
		t.putAway(s)
	}
	return nil
}

// unkeep lets the store forget sessions.
func (t *sessions) unkeep(ids ...string) {
	if err := t.server.options.Store.ForgetSessions(ids...); err != nil {
		t.server.options.Logger.Error("the store could not forget sessions", "error", err)
	}
}

// restore returns the session that a record is of, and notes that the state has the record; nil when the session is not
// known any more, or is another one under the same id.
func (t *sessions) restore(id, epoch string, state *state) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byID[id]
	if s == nil || s.epoch != epoch {
		return nil
	}
	if s.states = append(s.states, state); len(s.states) == 1 {
		t.sort(s)
	}
	return s
}
