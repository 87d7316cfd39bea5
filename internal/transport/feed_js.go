package transport

import (
	"strconv"
	"syscall/js"
	"unsafe"
)

// A page's frames come by one of two ways. By itself a WebSocket calls the js.Func of its page, which wakes a goroutine
// and looks up the event, its data and its bytes one after the other. A loader that knows this program writes the bytes
// into its memory and calls it directly, which is about 30 us less for each frame. It says so by a function of this name on
// the program's globalThis, feed(socket, number, handler): it is called for each WebSocket, and then receives the
// WebSocket's messages. Those whose data is a string it writes as UTF-8 to where serverStateSyncRoom says, and calls
// serverStateSyncFrame with the number and how many bytes there are, or -1 where it got no room. For all others it calls the
// handler.
//
// An export runs outside of the scheduler: it must not wait, and what it has made ready runs when the loader resumes the
// program, which it has to do soon.
const feedName = "serverStateSyncFeed"

// fed are the pages that are fed by the loader, by their numbers. There is one thread, so no lock.
var fed = struct {
	pages map[int32]*page
	last  int32
	room  []byte
}{pages: map[int32]*page{}}

// mostRoom is how many bytes of room are kept for the next frame; a larger one is the receiver's (Pusher.Deliver).
const mostRoom = 64 << 10

// bytesPerUnit is how many bytes of UTF-8 a unit of a page's string takes at most.
const bytesPerUnit = 3

// feed lets the loader feed the page, if it can.
func (p *page) feed() {
	loader := js.Global().Get(feedName)
	if loader.Type() != js.TypeFunction {
		return
	}
	fed.last++
	p.number = fed.last
	fed.pages[p.number] = p
	loader.Invoke(p.socket, p.number, p.handler)
}

// unfeed is called when nobody listens to the page any more.
func (p *page) unfeed() { delete(fed.pages, p.number) }

// feedRoom returns where size bytes of the next frame may be written, until the next call into the program. It is nil
// where the text is longer than any frame may be: the program's memory grows and does not shrink.
//
//go:wasmexport serverStateSyncRoom
func feedRoom(size int32) unsafe.Pointer {
	if size > bytesPerUnit*pageBacklog {
		return nil
	}
	if int(size) > cap(fed.room) {
		fed.room = make([]byte, max(size, 1<<10))
	}
	return unsafe.Pointer(unsafe.SliceData(fed.room))
}

// feedFrame receives the frame of size bytes that was written there.
//
//go:wasmexport serverStateSyncFrame
func feedFrame(number, size int32) {
	p := fed.pages[number]
	if size < 0 {
		if p != nil {
			p.in.Finish(&ViolationError{FrameTooLarge, "frame is larger than " + strconv.Itoa(p.in.readLimit)})
		}
		return
	}
	frame := fed.room[:size]
	if cap(fed.room) > mostRoom {
		fed.room = nil
	}
	if p != nil {
		p.push(frame)
	}
}
