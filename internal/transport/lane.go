package transport

import "sync"

// Lane holds the frames that have come and were not read yet: those of a page,
// or one direction of a pipe in memory.
type Lane struct {
	buffer    int
	readLimit int

	// mu guards the fields below.
	mu       sync.Mutex
	frames   [][]byte
	size     int           // bytes that frames are charged with
	readEnd  error         // what the reader gets once frames is empty; nil: it waits
	writeEnd error         // what the writer gets; nil: it may write
	changed  chan struct{} // closed at the next change; nil when nobody waits
	deliver  func([]byte)  // gets the frames in the place of Take; nil: none does
}

// NewLane returns a lane that holds so many bytes, or a single frame that is
// larger; the reader is given frames up to readLimit bytes.
func NewLane(buffer, readLimit int) *Lane { return &Lane{buffer: buffer, readLimit: readLimit} }

// frameCharge is what a frame costs beyond its bytes, so that empty frames fill
// the buffer too.
const frameCharge = 32

// Take returns the next frame and waits for it as long as b allows.
func (l *Lane) Take(b Bound) ([]byte, error) {
	for {
		if err := b.Err(); err != nil {
			return nil, err
		}
		frame, changed, err := l.tryTake()
		if changed == nil {
			return frame, err
		}
		select {
		case <-changed:
		case <-b.Done():
		}
	}
}

// tryTake returns a frame, a channel to wait for, or an error.
func (l *Lane) tryTake() ([]byte, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.frames) == 0 {
		if l.readEnd != nil {
			return nil, nil, l.readEnd
		}
		return nil, l.wait(), nil
	}
	frame := l.frames[0]
	l.frames[0] = nil
	l.frames = l.frames[1:]
	l.size -= len(frame) + frameCharge
	l.wake()
	if err := checkFrame(frame, l.readLimit); err != nil {
		l.frames, l.size, l.readEnd = nil, 0, err
		return nil, nil, err
	}
	return frame, nil, nil
}

// Put keeps a copy of frame or returns an error, or a channel that is closed when
// it may be tried again.
func (l *Lane) Put(frame []byte) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writeEnd != nil {
		return nil, l.writeEnd
	}
	cost := len(frame) + frameCharge
	if l.size > 0 && l.size+cost > l.buffer {
		return l.wait(), nil
	}
	l.frames = append(l.frames, append([]byte{}, frame...))
	l.size += cost
	l.wake()
	return nil, nil
}

// Push keeps a copy of frame, or gives frame itself to whom Deliver has named. It reports whether there was room. The
// frame is valid UTF-8, as all that was made of a page's string is.
func (l *Lane) Push(frame []byte) bool {
	if deliver := l.passing(frame); deliver != nil {
		deliver(frame)
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readEnd != nil {
		return true
	}
	cost := len(frame) + frameCharge
	if l.size > 0 && l.size+cost > l.buffer {
		return false
	}
	l.frames = append(l.frames, append([]byte{}, frame...))
	l.size += cost
	l.wake()
	return true
}

// Deliver gives each frame from now on to a function, in the goroutine that has brought the frame, and those first that
// are there. Take has then only the end to tell.
func (l *Lane) Deliver(to func(frame []byte)) {
	for {
		l.mu.Lock()
		if len(l.frames) == 0 {
			l.deliver = to
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		frame, _, err := l.tryTake()
		if err != nil {
			return // Take tells it again
		}
		to(frame)
	}
}

// passing returns to whom the frame goes past the lane; nil when it does not, or breaks a rule and ends the lane.
func (l *Lane) passing(frame []byte) func([]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deliver == nil || l.readEnd != nil {
		return nil
	}
	if len(frame) > l.readLimit {
		l.readEnd = tooLarge(int64(len(frame)), l.readLimit)
		l.wake()
		return nil
	}
	return l.deliver
}

// Finish ends the lane behind the frames that it holds.
func (l *Lane) Finish(readEnd error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readEnd == nil {
		l.readEnd = readEnd
	}
	l.writeEnd = ErrClosed
	l.wake()
}

// Stop ends the lane at once and drops the frames that it holds.
func (l *Lane) Stop(readEnd, writeEnd error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames, l.size = nil, 0
	if l.readEnd == nil || readEnd == ErrClosed {
		l.readEnd = readEnd
	}
	if l.writeEnd == nil || writeEnd == ErrClosed {
		l.writeEnd = writeEnd
	}
	l.wake()
}

func (l *Lane) wait() <-chan struct{} {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

func (l *Lane) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
