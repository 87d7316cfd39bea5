#!/bin/sh
# bench.sh FLAGS...: builds the benchmark of whole processes, installs the peers that run under Node.js, and runs it.
# The peers in Go come with its go.mod. Flags are those of bench/main.go, such as --short and --only burst-100,ours,floor.
set -e
cd "$(dirname "$0")/.."
scripts/need.sh go node npm
lock=bench/node/package-lock.json
if ! cmp -s "$lock" bench/node/node_modules/.installed 2>/dev/null; then
	npm ci --no-audit --no-fund --prefix bench/node
	cp "$lock" bench/node/node_modules/.installed
fi
go build -C bench -o ../bin/bench .
exec bin/bench --root . "$@"
