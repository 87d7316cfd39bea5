//go:build mutants

package mutant

import "os"

// The bug that STATESYNC_MUTANT names is there.
var (
	ResumeOffByOne               = chosen("ResumeOffByOne")
	ApplyTwiceOnResend           = chosen("ApplyTwiceOnResend")
	DropOnFullBuffer             = chosen("DropOnFullBuffer")
	AuthorizationSkippedOnResume = chosen("AuthorizationSkippedOnResume")
	AnswerBeforeCommit           = chosen("AnswerBeforeCommit")
	EpochKept                    = chosen("EpochKept")
	CarryOffByOne                = chosen("CarryOffByOne")
	LostDelete                   = chosen("LostDelete")
	MissingNumberGuard           = chosen("MissingNumberGuard")
	UnboundedBuffer              = chosen("UnboundedBuffer")
	CatchupWithoutRemoval        = chosen("CatchupWithoutRemoval")
	StaleFence                   = chosen("StaleFence")
)

// found says that the name which was asked for is one of the above.
var found bool

func chosen(name string) bool {
	if os.Getenv("STATESYNC_MUTANT") != name {
		return false
	}
	found = true
	return true
}

func init() {
	if name := os.Getenv("STATESYNC_MUTANT"); name != "" && !found {
		panic("STATESYNC_MUTANT names " + name + ", and there is no such mutant")
	}
}
