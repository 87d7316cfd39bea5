#!/bin/sh
# fuzz.sh DURATION: runs each fuzz target of the repository for that long, with one worker each and as many at once as there
# are processors: what a target does before and after its time is done by one. What a target says comes when it has ended.

targets() {
	git ls-files --cached --others --exclude-standard '*_test.go' | while read -r file; do
		[ -f "$file" ] && sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$(dirname "$file") \1|p" "$file"
	done | sort
}

list=$(targets)
echo "$(printf '%s\n' "$list" | grep -c .) fuzz targets, $1 each"
# shellcheck disable=SC2016 # the inner shell expands them
printf '%s\n' "$list" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 2 sh -c '
	said=$(go test -run "^\$" -fuzz "^$2\$" -fuzztime "$0" -parallel 1 "./$1" 2>&1)
	status=$?
	printf "%s: %s\n" "$2" "$said"
	exit "$((status != 0))"' "$1"
