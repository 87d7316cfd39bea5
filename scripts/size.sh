#!/bin/sh
# Builds what the browser downloads and holds its size. The npm package, which comes with a later release, may have
# 660,000 bytes (brotli 11). Until it is made this holds what is there, so that nothing grows unseen; lower it, never
# raise it.
limit=815000

package=$(GOOS=js GOARCH=wasm go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./jsbridge/...) || exit 1
if [ -z "$package" ]; then
	echo "size: no program for the browser below jsbridge" >&2
	exit 1
fi
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o bin/client.wasm "$package" &&
	node scripts/weigh.mjs bin/client.wasm $limit
