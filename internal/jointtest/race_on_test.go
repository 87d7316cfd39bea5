//go:build race

package jointtest

const raceEnabled = true
