// weigh.mjs FILE [BUDGET]: prints how many bytes a file is and how many it is on the wire (brotli 11, as a web server
// would compress it once); fails when that is over the budget. 1 KB is 1,000 bytes.
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync, constants } from "node:zlib";

const [file, budget] = process.argv.slice(2);
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

console.log(`${file}: ${kb(bytes.length)}, gzip ${kb(gzip)}, brotli ${kb(brotli)}${budget ? `; the budget is ${kb(budget)}` : ""}`);
if (budget && brotli > budget) {
  console.error(`${file}: ${brotli} bytes brotli are ${brotli - budget} over the budget`);
  process.exit(1);
}
