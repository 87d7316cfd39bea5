#!/bin/sh
# Builds what the browser downloads and holds it to the budget.
budget=660000

package=$(GOOS=js GOARCH=wasm go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./jsbridge/...) || exit 1
if [ -z "$package" ]; then
	echo "size: no program for the browser below jsbridge" >&2
	exit 1
fi
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o bin/client.wasm "$package" &&
	node scripts/weigh.mjs bin/client.wasm $budget
