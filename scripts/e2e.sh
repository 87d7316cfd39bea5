#!/bin/sh
# Drives the built programs in Chromium as a user does, from e2e. Arguments are flags of go test; -v prints the times that are measured.
# A test that fails names a folder with the screenshots and consoles of its pages. With E2E_PICTURE=1 it writes the README's picture.
set -e
cd "$(dirname "$0")/../e2e"
if [ -n "$E2E_PICTURE" ]; then
	exec go test -count=1 -timeout 25m "$@" . -picture
fi
exec go test -count=1 -timeout 25m "$@" .
