#!/bin/sh
# Everything that CI runs.
. scripts/parts.sh

wasm() {
	GOOS=js GOARCH=wasm go test -shuffle=on -timeout 10m -exec "$PWD/scripts/wasm-exec.sh" \
		./document/... ./internal/jsonscan/... ./internal/sorting/... ./protocol/... ./internal/core/... ./internal/pageclock/... ./internal/transport/... \
		./internal/pipe/... ./internal/driver/... ./wasmclient/... ./jsbridge/...
}

# The random tests of values and changes run a part of their cases under the race detector; here they run
# all of them. And what writes is held to allocate nothing, which it does where the race detector empties pools.
long() {
	go test -shuffle=on ./document ./internal/core ./internal/transport ./server
}

# 300 histories of 500 operations; the race detector has met 30 of them before.
histories() {
	go test -count=1 -run '^TestHistoriesAreLinearizable$' ./internal/jointtest
}

packages() {
	npm ci --no-audit --no-fund --prefix internal/transport/testdata/js
}

# The demo is a module of its own; its pages are built first, as a user has them.
demo() {
	scripts/demo.sh &&
		(cd web/demo && ../../npm/node_modules/.bin/tsc -p . && GOOS=js GOARCH=wasm go vet ./chat && go vet ./... && go test -race -shuffle=on ./...)
}

part "check" scripts/check.sh
part "tests" go test -race -shuffle=on -timeout 20m ./...
part "random tests at full length" long
part "linearizable histories, 300 of 500 operations" histories
part "tests of the tests" scripts/mutants.sh
part "npm packages of the js/wasm tests" packages
part "tests on js/wasm under Node" wasm
part "npm package" scripts/npm-test.sh
part "bundlers" scripts/matrix.sh
part "demo" demo
part "end to end in Chromium" scripts/e2e.sh -v
part "fuzz targets, briefly" scripts/fuzz.sh 3s
part "tests of the benchmark" go test -C bench ./...
part "benchmark, every work and peer, briefly" scripts/bench.sh --short
part "size of the browser's module" scripts/size.sh
finish "make test:"
