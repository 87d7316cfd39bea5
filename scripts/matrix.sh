#!/bin/sh
# Builds the npm package, packs it, and uses the tarball under Node, in bundlers, a framework and test runners, and in
# pages of a real Chromium, against the built server: a line for each, in npm/matrix. Arguments are words of the rows to
# run. What the fixtures need is installed once, in npm/out/matrix.
set -e
cd "$(dirname "$0")/.."
go build -o bin/ ./cmd/statesync
scripts/npm-install.sh
cd npm
go run ./build >/dev/null
cp ../LICENSE . # it is packed, and ignored by git
mkdir -p out
tarball=$(npm pack --silent --pack-destination out)
go build -o ../bin/ ./matrix
exec ../bin/matrix "out/$tarball" "$@"
