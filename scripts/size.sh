#!/bin/sh
# Builds what the browser downloads and holds it to the budget (bytes, brotli 11).
budget=660000
flags='-s -w'

package=$(GOOS=js GOARCH=wasm go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./jsbridge/...)
if [ -z "$package" ]; then
	echo "size: no program for the browser below jsbridge" >&2
	exit 1
fi
mkdir -p bin
GOOS=js GOARCH=wasm go build -trimpath -ldflags="$flags" -o bin/client.wasm "$package" || exit 1
exec node - bin/client.wasm $budget <<'JS'
const { readFileSync } = require("node:fs");
const { brotliCompressSync, gzipSync, constants } = require("node:zlib");

const [file, budget] = process.argv.slice(2);
const wasm = readFileSync(file);
const brotli = brotliCompressSync(wasm, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length },
}).length;
const kb = (n) => `${(n / 1000).toFixed(1)} KB`;
console.log(`${file}: ${kb(wasm.length)}, gzip ${kb(gzipSync(wasm, { level: 9 }).length)}, brotli ${kb(brotli)}; budget ${kb(Number(budget))}`);
if (brotli > Number(budget)) {
  console.error(`size: ${brotli} bytes brotli are over the budget of ${budget}`);
  process.exit(1);
}
JS
