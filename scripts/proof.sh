#!/bin/sh
# The random tests at a length that no ordinary run has. Each part prints its seeds. By the figures of shorter runs it takes about two hours on
# two idle cores and twice that on busy ones; nobody has run the whole yet.
. scripts/parts.sh

# quietly COMMAND...: prints what the command has said when it ends, without what passed of single seeds.
quietly() {
	said=$(mktemp)
	"$@" >"$said" 2>&1
	status=$?
	grep -v '^=== \|^ *--- PASS: .*/seed' "$said"
	rm "$said"
	return $status
}

proof() {
	quietly go test -count=1 -timeout 3h -v "$@"
}

part "random model, seeds 1 to 100000" proof -run '^TestModel$' ./server -model.seeds 100000
part "simulation of the core, seeds 1 to 100000" proof -run '^TestSimulation$' ./internal/core -seeds 100000
part "carry, 20 times from a seed of its own" proof -count=20 -run '^TestCarryAgreesWithTheModel' ./document
part "porcupine, seeds 1 to 6000" proof -run '^TestHistoriesAreLinearizable$' ./internal/jointtest -history.seeds 6000
part "versions of two million operations" proof -run '^TestVersionsWitnessTheOrder$' ./internal/jointtest \
	-witness.seeds 100 -witness.operations 20000
part "one million malformed frames" proof -run '^TestServerSurvivesMalformedFrames$' ./server -malformed.frames 1000000
part "network faults, 100 rounds each" proof -run '^TestChangesAreMadeOnceThroughEveryFault$' ./internal/jointtest -fault.rounds 100
part "2,000 kills of the server under 64 writers" proof -run '^TestKilledServerLosesNothing$' ./cmd/statesync -kills 2000
part "20,000 losses of power" proof -run '^TestALossOfPowerLosesNothingThatWasAcknowledged$' ./stores/disk -disk.seeds 10000
finish "make proof:"
