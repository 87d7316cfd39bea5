# The door to everything in this repository; continuous integration calls the same targets.

FUZZTIME = 60s
ADDRESS = 127.0.0.1:5000
DATA = data

# make demo has others.
demo: ADDRESS = 127.0.0.1:8000
demo: DATA = demo-data

.PHONY: help run demo check test npm npm-test matrix e2e proof mutants bench bench-go fuzz size clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-9s%s\n", $$1, $$2}' Makefile

run: ## build the program and start a server with an example state (ADDRESS=127.0.0.1:5000, DATA=data)
	@scripts/need.sh go
	@go build -o bin/ ./cmd/statesync
	@exec bin/statesync serve --address '$(ADDRESS)' --data '$(DATA)' --states testdata/example-states.json

demo: ## build the chat and serve it, in Go and in React (ADDRESS=127.0.0.1:8000, DATA=demo-data)
	@scripts/need.sh go node npm
	@scripts/demo.sh
	@exec bin/demo --address '$(ADDRESS)' --data '$(DATA)'

check: ## format, vet, lint and hold the layers; under two minutes
	@scripts/need.sh go git
	@scripts/check.sh

test: ## check, then every test: natively with the race detector, on js/wasm, fuzz targets, size
	@scripts/need.sh go git cc node npm chromium
	@scripts/test.sh

npm: ## build the npm package, print its sizes and where its tarball is
	@scripts/need.sh go node npm
	@scripts/npm-install.sh && cd npm && go run ./build && cp ../LICENSE . && mkdir -p out && echo "npm/out/$$(npm pack --silent --pack-destination out)"

npm-test: ## build the npm package, pack it, and test the tarball in an empty project
	@scripts/need.sh go node npm
	@scripts/npm-test.sh

matrix: ## use the packed npm package in bundlers, frameworks, test runners and Chromium's pages
	@scripts/need.sh go node npm chromium
	@scripts/matrix.sh

e2e: ## drive the programs in Chromium as a user does
	@scripts/need.sh go node npm chromium
	@scripts/e2e.sh -v

proof: ## the random tests at a length that no ordinary run has; a few hours
	@scripts/need.sh go
	@scripts/proof.sh

mutants: ## put bugs in on purpose, and require that the tests catch them
	@scripts/need.sh go
	@scripts/mutants.sh

bench: ## measure our server beside its peers, write bench/RESULTS.md, the chart and the README's figures; 20 minutes, on an idle machine
	@scripts/need.sh go git node npm
	@scripts/bench.sh

bench-go: ## all Go benchmarks, with allocations
	@scripts/need.sh go
	@go test -run '^$$' -bench . -benchmem ./...

fuzz: ## each fuzz target for FUZZTIME=60s
	@scripts/need.sh go
	@scripts/fuzz.sh '$(FUZZTIME)'

size: ## build the browser's module and hold its size
	@scripts/need.sh go node
	@scripts/size.sh

clean: ## remove what was built
	@rm -rf bin npm/dist npm/out web/demo/out web/demo/dist/assets web/demo/dist/manifest.json bench/node/node_modules
