#!/bin/sh
# Builds what the browser downloads and holds its size. It may have 660,000 bytes (brotli 11). Until it is made this holds
# what is there, so that nothing grows unseen; lower it, never raise it.
limit=660000

scripts/module.sh bin/client.wasm && node scripts/weigh.mjs bin/client.wasm $limit
