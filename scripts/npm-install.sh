#!/bin/sh
# Installs the development dependencies of the npm package, where they are not those of its lock file yet.
cd "$(dirname "$0")/../npm" || exit 1
cmp -s package-lock.json node_modules/.installed 2>/dev/null && exit
npm ci --no-audit --no-fund && cp package-lock.json node_modules/.installed
