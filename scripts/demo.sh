#!/bin/sh
# Builds the demo, bin/demo, with its pages: the npm package, the Go page, the bundles. It says what it does.
set -e
cd "$(dirname "$0")/.."
echo "build the npm package, which the React page stands on"
scripts/npm-install.sh
(cd npm && go run ./build >/dev/null)
cd web/demo
go run ./build
echo "build the program, bin/demo"
go build -o ../../bin/demo .
