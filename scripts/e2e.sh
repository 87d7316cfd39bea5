#!/bin/sh
# Drives the built programs in Chromium as a user does, from e2e. Arguments are flags of go test and of these tests: -v prints the
# times that are measured, -picture writes the README's picture. A test that fails names a folder with the screenshots and
# consoles of its pages.
set -e
cd "$(dirname "$0")/../e2e"
exec go test -count=1 -timeout 25m -parallel 8 . "$@" # tests that wait for a network wait together
