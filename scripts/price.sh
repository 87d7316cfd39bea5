#!/bin/sh
# price.sh STATEMENT PACKAGE...: what a browser's program weighs that imports the packages and does the statement.
# For example: scripts/price.sh '' ; scripts/price.sh 'fmt.Println(1)' fmt
statement=$1
shift
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
{
	echo 'package main'
	for package in "$@"; do echo "import \"$package\""; done
	echo "func main() { $statement }"
} >"$folder/main.go"
scripts/module.sh "$folder/main.wasm" "$folder/main.go" && node scripts/weigh.mjs "$folder/main.wasm"
