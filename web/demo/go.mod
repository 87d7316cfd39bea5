module github.com/server-state-sync/server-state-sync/web/demo

go 1.26.0

replace github.com/server-state-sync/server-state-sync => ../..

require (
	github.com/andybalholm/brotli v1.3.0
	github.com/evanw/esbuild v0.28.2
	github.com/gofrs/flock v0.13.2
	github.com/maxence-charriere/go-app/v10 v10.1.11
	github.com/server-state-sync/server-state-sync v0.0.0
	github.com/urfave/cli/v3 v3.14.0
	go.uber.org/goleak v1.3.0
	golang.org/x/time v0.16.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
