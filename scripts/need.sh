#!/bin/sh
# need.sh TOOL...: says in one sentence what is missing and how to get it, and fails. What Debian has it installs by
# itself where it may.
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

# package NAME SENTENCE: installs a Debian package, or says the sentence.
package() {
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "$2 Installing $1."
		{ apt-get install -y -q "$1" || { apt-get update -q && apt-get install -y -q "$1"; }; } >/dev/null && return
	fi
	say "$2 On Debian: apt-get install $1."
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
			package build-essential "A C compiler is missing, and Go's race detector needs one."
		;;
	chromium)
		command -v "${CHROMIUM:-chromium}" >/dev/null ||
			package chromium "Chromium is missing, and tests open pages in it; CHROMIUM=/path/to/it names another one."
		;;
	*)
		command -v "$tool" >/dev/null || package "$tool" "$tool is missing."
		;;
	esac
done
exit $missing
