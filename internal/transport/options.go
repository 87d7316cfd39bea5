package transport

// Defaults of the options, used for 0 and less.
const (
	DefaultDialReadLimit = 16 << 20 // bytes
	defaultPatience      = 10_000   // milliseconds
)

// DialOptions are the options of Dial. The zero value is usable.
type DialOptions struct {
	// Header is sent with the handshake. A page cannot send headers: there it is
	// ignored.
	Header map[string][]string

	// Subprotocols are offered to the server, the most wanted first.
	Subprotocols []string

	// ReadLimit is the size of the largest frame that is read. 0 means 16 MiB. A
	// page has the whole frame in memory before the limit is checked.
	ReadLimit int

	// WriteTimeout is how many milliseconds the peer may take to accept 64 KiB,
	// or the frame when it is smaller; at times it is half as much again. 0 means
	// 10 seconds.
	WriteTimeout int64

	// PlatformOptions are those that exist only natively or only in a page.
	PlatformOptions
}

func (o *DialOptions) setDefaults() {
	o.ReadLimit = orDefault(o.ReadLimit, DefaultDialReadLimit)
	o.WriteTimeout = orDefault(o.WriteTimeout, defaultPatience)
}

func orDefault[T ~int | ~int64](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}
