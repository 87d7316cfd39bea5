// Package mutant has the bugs that are put in on purpose, to see that a test catches each: tests of the tests. In every
// ordinary build they are constants and false, so that the compiler leaves nothing of them. With the build tag mutants
// the environment variable STATESYNC_MUTANT names the one that is on. scripts/mutants.sh says which test is to catch it.
package mutant
