package transport

import (
	"context"
	"errors"
	"syscall/js"
)

// PlatformOptions are the options of Dial that exist only in a page.
type PlatformOptions struct {
	// WebSocket is the constructor to use. The zero Value means the global one.
	WebSocket js.Value
}

func Dial(ctx context.Context, address string, o DialOptions) (Conn, error) {
	return nil, errors.New("not yet")
}
