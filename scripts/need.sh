#!/bin/sh
# need.sh TOOL...: says in one sentence what is missing and how to get it, and fails.
missing=0

say() {
	printf '%s\n' "$1" >&2
	missing=1
}

# at_least NAME HAVE WANT HOW: compares the first two numbers of a version.
at_least() {
	printf '%s\n' "$2" | awk -v want="$3" '{
		split($0, have, "."); split(want, least, ".")
		exit !(have[1]+0 > least[1]+0 || (have[1]+0 == least[1]+0 && have[2]+0 >= least[2]+0))
	}' || say "$1 $3 or newer is needed and $2 was found: $4"
}

for tool in "$@"; do
	case $tool in
	go)
		how="install Go from go.dev/doc/install and put its bin folder on PATH."
		if command -v go >/dev/null; then
			at_least Go "$(go env GOVERSION | sed 's/^go//')" 1.26 "$how"
		else
			say "Go 1.26 or newer is missing: $how"
		fi
		;;
	node)
		how="install it from nodejs.org or with your package manager; the js/wasm tests run under it."
		if command -v node >/dev/null; then
			at_least Node.js "$(node --version | sed 's/^v//')" 20.0 "$how"
		else
			say "Node.js 20 or newer is missing: $how"
		fi
		;;
	cc)
		command -v "$(go env CC)" >/dev/null ||
			say "A C compiler is missing, and Go's race detector needs one: on Debian, apt-get install gcc."
		;;
	*)
		command -v "$tool" >/dev/null ||
			say "$tool is missing: on Debian, apt-get install $tool."
		;;
	esac
done
exit $missing
