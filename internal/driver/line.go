package driver

// A line holds those who wait, first come first served. It is guarded by Client.mu.
type line struct{ waiting []chan struct{} }

// join adds somebody at the end, who waits until the channel is closed.
func (l *line) join() chan struct{} {
	place := make(chan struct{})
	l.waiting = append(l.waiting, place)
	return place
}

// rejoin adds somebody at the front who was let in and did not find what he waited for.
func (l *line) rejoin() chan struct{} {
	place := make(chan struct{})
	l.waiting = append([]chan struct{}{place}, l.waiting...)
	return place
}

// let lets the first one in.
func (l *line) let() {
	if len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}

// letAll lets everybody in.
func (l *line) letAll() {
	for len(l.waiting) > 0 {
		l.let()
	}
}

// leave takes somebody away who waits no longer. One who was let in meanwhile lets the next one in.
func (l *line) leave(place chan struct{}) {
	for i, other := range l.waiting {
		if other == place {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return
		}
	}
	l.let()
}
