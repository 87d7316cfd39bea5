#!/bin/sh
# module.sh FILE [PACKAGE]: builds the browser's module as it is released.
package=${2:-$(GOOS=js GOARCH=wasm go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./jsbridge/...)}
if [ -z "$package" ]; then
	echo "module: no program for the browser below jsbridge" >&2
	exit 1
fi
GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$1" "$package" &&
	go run ./internal/shrink/cmd/shrink "$1"
