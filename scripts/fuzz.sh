#!/bin/sh
# fuzz.sh DURATION: runs each fuzz target of the repository for that long, one after another.
duration=$1
failed=0

targets() {
	git ls-files --cached --others --exclude-standard '*_test.go' | while read -r file; do
		[ -f "$file" ] && sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$(dirname "$file") \1|p" "$file"
	done | sort
}

list=$(targets)
count=$(printf '%s' "$list" | grep -c .)
echo "$count fuzz targets, $duration each"
while read -r folder target; do
	[ -z "$target" ] && continue
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "./$folder" || failed=1
done <<LIST
$list
LIST
exit $failed
