#!/bin/sh
# Builds the npm package, packs it, installs the tarball in an empty project and tests it there: against the built
# server, and with the dependencies of npm/package-lock.json, which the project finds in npm/node_modules above it.
# With arguments it runs these files of npm/test only. A test whose Promise never settles fails after ten minutes.
set -e
cd "$(dirname "$0")/.."
go build -o bin/ ./cmd/statesync
scripts/npm-install.sh
cd npm
go run ./build
rm -rf out/project
mkdir -p out/project/node_modules
cp ../LICENSE . # it is packed, and ignored by git
tarball=$(npm pack --silent --pack-destination out)
echo '{ "name": "project", "private": true, "type": "module" }' >out/project/package.json
npm install --silent --offline --no-audit --no-fund --prefix out/project "./out/$tarball"
cp -R test out/project/
cp ../jsbridge/testdata/steps.json ../README.md out/project/test/
cd out/project
export STATESYNC_PROGRAM="$PWD/../../../bin/statesync" STATESYNC_TARBALL="$PWD/../$tarball"
mkdir -p readme
# The README's pages: readme/1.tsx is its chat, readme/2.tsx its hooks.
awk '/^```tsx$/ { page++; inside = 1; next } /^```$/ { inside = 0 } inside { print >("readme/" page ".tsx") }' ../../../README.md
../../node_modules/.bin/tsc --ignoreConfig --strict --noUnusedLocals --noUnusedParameters --verbatimModuleSyntax --jsx react-jsx \
	--module nodenext --target es2022 --outDir readme readme/*.tsx
if [ $# -gt 0 ]; then
	exec node --expose-gc --test-force-exit --test-timeout=600000 --test "$@"
fi
../../node_modules/.bin/tsc -p test/tsconfig.json
../../node_modules/.bin/publint --strict "$STATESYNC_TARBALL"
# client.wasm is a file to serve, and no module that could have types.
../../node_modules/.bin/attw --no-color --exclude-entrypoints client.wasm -- "$STATESYNC_TARBALL" >attw || { cat attw && exit 1; }
exec node --expose-gc --test-force-exit --test-timeout=600000 --test test/*.test.mjs
