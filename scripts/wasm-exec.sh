#!/bin/sh
# go test -exec scripts/wasm-exec.sh: runs a js/wasm test under Node. Go's own script does it; the environment is cut
# down because Go's wasm start-up has a fixed room for arguments and environment together.
exec env -i PATH="$PATH" HOME="$HOME" ${TMPDIR:+TMPDIR="$TMPDIR"} \
	bash "$(go env GOROOT)/lib/wasm/go_js_wasm_exec" "$@"
