#!/bin/sh
# What can be said of the source without running the program. Linters come from the tools module, at the versions
# pinned there; they are built into bin/.
. scripts/parts.sh

# style rewrites what gofmt would write differently, and then shows it as a failure.
style() {
	files=$(git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do [ -f "$file" ] && echo "$file"; done)
	# shellcheck disable=SC2086
	changed=$(gofmt -s -l $files) || return 1
	[ -z "$changed" ] && return
	# shellcheck disable=SC2086
	gofmt -s -w $changed
	printf 'gofmt rewrote these files; look at them and commit them:\n%s\n' "$changed"
	# shellcheck disable=SC2086
	git --no-pager diff --exit-code -- $changed
	return 1
}

linters() {
	go build -C tools -o ../bin/ tool
}

# browser PROGRAM...: as the browser's build sees the packages that are compiled for it.
browser() {
	packages=$(GOOS=js GOARCH=wasm go list ./document/... ./protocol/... ./internal/... ./wasmclient/... ./jsbridge/...) || return 1
	# shellcheck disable=SC2086
	GOOS=js GOARCH=wasm "$@" $packages
}

part "style" style
part "build the linters" linters
part "vet" go vet ./...
part "vet, js/wasm" browser go vet
part "staticcheck" bin/staticcheck ./...
part "staticcheck, js/wasm" browser bin/staticcheck
part "depguard" bin/depguard ./...
part "depguard, js/wasm" browser bin/depguard
part "layers, documents, house rules" go test -count=1 .
finish "make check:"
