#!/bin/sh
# What can be said of the source without running the program. Linters come from the tools module, at the versions
# pinned there; they are built into bin/.
# shellcheck disable=SC2046,SC2086 # lists of files and packages are meant to be split
. scripts/parts.sh

# style rewrites what gofmt would write differently, and then shows it as a failure.
style() {
	files=$(git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do [ -f "$file" ] && echo "$file"; done)
	changed=$(gofmt -s -l $files) || return 1
	[ -z "$changed" ] && return
	gofmt -s -w $changed
	printf 'gofmt rewrote these files; look at them and commit them:\n%s\n' "$changed"
	git --no-pager diff --exit-code -- $changed
	return 1
}

linters() {
	go build -C tools -o ../bin/ tool
}

on_js() {
	GOOS=js GOARCH=wasm "$@"
}

# browser lists the packages that are compiled for the browser too, and bridge those that are compiled for it only.
browser() {
	on_js go list ./document/... ./protocol/... ./internal/... ./wasmclient/...
}

bridge() {
	on_js go list ./jsbridge/...
}

# What is unused in one build may be used in the other, so staticcheck looks at both together.
lint() {
	printf 'native:\njs: GOOS=js GOARCH=wasm\n' | bin/staticcheck -matrix $(browser) &&
		on_js bin/staticcheck $(bridge) &&
		bin/staticcheck $(go list ./... | grep -vxF "$(browser; bridge)")
}

guard() {
	bin/depguard ./... && on_js bin/depguard $(browser) $(bridge)
}

# mutated lists the packages that are compiled otherwise with the bugs of scripts/mutants.sh.
mutated() {
	go list -f '{{range .Imports}}{{if eq . "github.com/server-state-sync/server-state-sync/internal/mutant"}}{{$.ImportPath}}{{end}}{{end}}' ./...
}

vet() {
	go vet ./... && (cd npm && go vet ./...) && (cd web/demo && go vet ./... && on_js go vet ./chat) && (cd bench && go vet ./... && ../bin/staticcheck ./...) && (cd e2e && go vet ./... && ../bin/staticcheck ./...) && on_js go vet $(browser) $(bridge) && go vet -tags mutants ./internal/mutant $(mutated)
}

part "style" style
part "build the linters" linters
part "vet, native and js/wasm" vet
part "staticcheck, native and js/wasm" lint
part "depguard, native and js/wasm" guard
part "layers, documents, house rules" go test -count=1 .
finish "make check:"
