package transport

// Handlers returns how many js.Funcs are alive.
func Handlers() int { return int(handlers.Load()) }
