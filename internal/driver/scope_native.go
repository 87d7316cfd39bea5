//go:build !js

package driver

import "context"

// newScope returns a bound and the function that ends it. Natively it is a context, as the network's packages want.
func newScope() (b Bound, end func()) { return context.WithCancel(context.Background()) }
