#!/bin/sh
# Tests of the tests: puts each bug of internal/mutant in and requires that the test beside it fails, by what it checks
# and not by a panic or its time, and that the same test passes without the bug. Each package's tests are built once.
binaries=$PWD/bin/mutants
survivors=0

# The tests that catch the bugs. RELIABILITY.md has the same rows, and a test at the root compares them.
table() {
	cat <<'TABLE'
ResumeOffByOne server TestResumeSendsOnlyWhatWasMissed
ApplyTwiceOnResend server TestLostAnswersAreGivenAgainAndNothingIsDoneTwice
DropOnFullBuffer server TestChangesBeyondTheInboxAreRefusedInTheirOrder
AuthorizationSkippedOnResume server TestClientThatMayNotJoinAgainIsNoClientAnyMore
AnswerBeforeCommit server TestNothingIsToldBeforeTheLogHasIt
EpochKept server TestAnotherEpochIsAFreshStart
CarryOffByOne document TestCarryShiftsByInsertsAndRemovals
LostDelete document TestDiffMakesTheNewValue
MissingNumberGuard document TestApplyRefuses
UnboundedBuffer server TestSlowReaderHoldsNothingAndMissesNothing
CatchupWithoutRemoval internal/core TestCatchupTakesAwayWhatWasRemoved
StaleFence server TestLateHelloOfAnOlderConnectionFencesNobody
TABLE
}

# binary PACKAGE: the file of its tests with the bugs.
binary() {
	echo "$binaries/$(echo "$1" | tr / -).test"
}

# verdict PACKAGE TEST MUTANT: what the test says with that bug in, or with none: pass, fail, or broken where it neither
# passes nor fails by itself.
verdict() {
	said=$(cd "$1" && STATESYNC_MUTANT=$3 "$(binary "$1")" -test.run "^$2\$" -test.v -test.timeout 60s 2>&1)
	case $said in
	*panic:*) echo broken ;;
	*"--- PASS: $2 "*) echo pass ;;
	*"--- FAIL: $2 "*) echo fail ;;
	*) echo broken ;;
	esac
}

for package in $(table | cut -d ' ' -f 2 | sort -u); do
	go test -tags mutants -c -o "$(binary "$package")" "./$package" || exit 1
done
rows=$(table)
printf '%-29s %-49s %s\n' mutant test caught
while read -r mutant package test; do
	case "$(verdict "$package" "$test" "") $(verdict "$package" "$test" "$mutant")" in
	"pass fail") caught=yes ;;
	"pass pass") caught="NO: it survived" ;;
	"pass "*) caught="NO: the test broke off instead of failing" ;;
	*) caught="NO: the test does not pass without it" ;;
	esac
	printf '%-29s %-49s %s\n' "$mutant" "$test" "$caught"
	[ "$caught" = yes ] || survivors=$((survivors + 1))
done <<ROWS
$rows
ROWS
echo "$(echo "$rows" | grep -c .) mutants, $survivors not caught"
[ "$survivors" = 0 ]
