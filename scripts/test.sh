#!/bin/sh
# Everything that CI runs.
. scripts/parts.sh

wasm() {
	GOOS=js GOARCH=wasm go test -shuffle=on -timeout 10m -exec "$PWD/scripts/wasm-exec.sh" \
		./document/... ./protocol/... ./internal/core/... ./internal/transport/... ./wasmclient/... ./jsbridge/...
}

part "check" scripts/check.sh
part "tests" go test -race -shuffle=on -timeout 20m ./...
part "tests on js/wasm under Node" wasm
part "fuzz targets, briefly" scripts/fuzz.sh 3s
part "size of the browser's module" scripts/size.sh
finish "make test:"
