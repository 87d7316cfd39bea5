package transport

import "unsafe"

// Handlers returns how many js.Funcs are alive.
func Handlers() int { return int(handlers.Load()) }

// Feed hands a frame over as a loader does.
func Feed(number int32, text string) {
	at := feedRoom(int32(len(text)))
	copy(unsafe.Slice((*byte)(at), len(text)), text)
	feedFrame(number, int32(len(text)))
}

// FeedTooLong hands over a text of so many units as a loader does that gets no room; false: there is room.
func FeedTooLong(number int32, units int) bool {
	if feedRoom(int32(units)) != nil {
		return false
	}
	feedFrame(number, -1)
	return true
}

// MostRoom is the largest frame whose memory is used again.
const MostRoom = mostRoom

// Fed returns how many pages are fed.
func Fed() int { return len(fed.pages) }

// FeedName is the name of the loader's function.
const FeedName = feedName
