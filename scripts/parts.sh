# Sourced by the scripts that run in parts: each part says what it runs and how long it took, and a failed part
# does not keep the later ones from running.
parts=""
failed=0

# part NAME COMMAND...
part() {
	name=$1
	shift
	printf '\n== %s: %s\n' "$name" "$*"
	began=$(date +%s)
	if "$@"; then
		verdict=ok
	else
		verdict=FAILED
		failed=1
	fi
	line=$(printf '%-7s%4d s  %s' "$verdict" "$(($(date +%s) - began))" "$name")
	printf '== %s\n' "$line"
	parts="$parts$line
"
}

# finish prints every part once more and ends the script with the verdict of all.
finish() {
	printf '\n%s\n%s' "$1" "$parts"
	exit "$failed"
}
