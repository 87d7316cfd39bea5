// weigh.mjs FILE [LIMIT]: prints how many bytes a file is and how many it is on the wire (brotli 11, as a web server
// would compress it once); fails when that is over the limit. 1 KB is 1,000 bytes.
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync, constants } from "node:zlib";

const [file, limit] = process.argv.slice(2);
const bytes = readFileSync(file);
const brotli = brotliCompressSync(bytes, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  },
}).length;
const gzip = gzipSync(bytes, { level: 9 }).length;
const kb = (n) => `${(n / 1000).toFixed(1)} KB`;

console.log(`${file}: ${kb(bytes.length)}, gzip ${kb(gzip)}, brotli ${kb(brotli)}${limit ? `; the limit is ${kb(limit)}` : ""}`);
if (limit && brotli > limit) {
  console.error(`${file}: ${brotli} bytes brotli are ${brotli - limit} over the limit`);
  process.exit(1);
}
