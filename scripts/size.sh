#!/bin/sh
# Builds what the browser downloads and holds its size. It may have 660,000 bytes (brotli 11); this holds what is there
# and a little, so that nothing grows unseen. Lower it, never raise it.
limit=625000

scripts/module.sh bin/client.wasm && node scripts/weigh.mjs bin/client.wasm $limit
