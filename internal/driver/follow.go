package driver

import "slices"

// A follower keeps a copy of a state's view: the page's, which lies beyond a boundary that is dear to cross. It hears of
// every update at once, without a queue, and shows what it has heard once for all that an event has brought.
type follower struct {
	heard func(Update) // called with Client.mu held; it must not call the client
	show  func()       // called after each event with updates, in the goroutine of the event
	due   bool         // guarded by Client.mu: the state stands in Client.followed
}

// Follow adds a follower, which has the view of this moment when it begins and ends with the state, or by unfollow.
func (s *State) Follow(heard func(Update), show func()) (unfollow func()) {
	f := &follower{heard: heard, show: show}
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	s.followers = append(s.followers, f)
	return func() {
		s.client.mu.Lock()
		defer s.client.mu.Unlock()
		s.followers = slices.DeleteFunc(s.followers, func(other *follower) bool { return other == f })
	}
}

// tellFollowers is called with mu held.
func (s *State) tellFollowers(u Update) {
	for _, f := range s.followers {
		f.heard(u)
		if !f.due {
			f.due = true
			s.client.followed = append(s.client.followed, f)
		}
	}
}

// unlock ends what holds mu and may have handled events: what they brought is shown.
func (c *Client) unlock() {
	followed := c.followed
	c.followed = nil
	for _, f := range followed {
		f.due = false
	}
	c.mu.Unlock()
	for _, f := range followed {
		f.show()
	}
}
