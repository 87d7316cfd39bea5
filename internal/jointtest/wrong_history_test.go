//go:build !js

package jointtest

// wrongHistory is a short history made by hand, with what the checkers say of it.
type wrongHistory struct {
	name   string
	events []event
	sights []sight
	linear bool   // porcupine finds an order
	says   string // by the witness
}

// wrongHistories are one that is right and then one wrong thing each.
func wrongHistories() []wrongHistory {
	first, second := appended(0, 1), appended(1, 1)
	none, one, both := content{}, apply(first), apply(first, second)
	seen := []sight{sightOf(0, first, one), sightOf(1, second, both)}
	stale := &change{tag: tag{1, 1}, kind: transaction, seenA: 7}
	maybe := made(second, 0, 3, 4)
	maybe.outcome = unknown
	gone := made(second, 0, 3, 4)
	gone.outcome = refused
	return []wrongHistory{
		{"all is well", []event{made(first, 1, 1, 2), made(second, 2, 3, 4), looked(both, 5, 6)}, seen, true, "nothing"},
		{"unknown and applied", []event{made(first, 1, 1, 2), maybe, looked(one, 5, 6), finally(both, 7, 8)}, seen, true, "nothing"},
		{"unknown and not applied", []event{made(first, 1, 1, 2), maybe, finally(one, 5, 6)}, seen[:1], true, "nothing"},
		{
			"answered before it could be read", []event{made(first, 1, 1, 2), made(second, 2, 3, 4), looked(one, 5, 6)}, seen, false,
			"what was called at 5 has version 1, and version 2 had returned before",
		},
		{
			"answered with the version before", []event{made(first, 1, 1, 2), made(second, 1, 3, 4), looked(both, 5, 6)}, seen, true,
			"change 1.1 was answered with version 1, and is version 2",
		},
		{
			"applied twice", []event{made(first, 1, 1, 2), looked(apply(first, first), 3, 4)},
			[]sight{seen[0], sightOf(1, first, apply(first, first))}, false,
			"change 0.1 was applied twice, as versions 1 and 2",
		},
		{
			"lost after the answer", []event{made(first, 1, 1, 2), made(second, 2, 3, 4), looked(one, 5, 6)}, seen[:1], false,
			"change 1.1 was answered with version 2, and is version 0",
		},
		{
			"refused and applied", []event{made(first, 1, 1, 2), gone, looked(both, 5, 6)}, seen, false,
			"change 1.1 was answered with version 0, and is version 2",
		},
		{
			"in the other order than the clock's", []event{made(second, 2, 1, 2), made(first, 1, 3, 4)}, seen, true,
			"what was called at 3 has version 1, and version 2 had returned before",
		},
		{
			"read and gone again", []event{made(first, 1, 1, 9), looked(one, 2, 3), looked(none, 4, 5)}, seen[:1], false,
			"what was called at 4 has version 0, and version 1 had returned before",
		},
		{
			"a transaction on what it has not seen", []event{made(first, 1, 1, 2), made(stale, 2, 3, 4)}, []sight{seen[0], sightOf(1, stale, one)}, false,
			"version 2 is a transaction computed from a=7 b=0, and was applied to {a:0 b:0 sum:0 log:0.1  tags:[1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]}",
		},
		{
			"a version nobody heard of", []event{made(first, 1, 1, 2), made(second, 2, 3, 4)}, seen[1:], true,
			"the follower went from version 1 to 2, after 0",
		},
	}
}

func appended(writer int, number uint32) *change {
	return &change{tag: tag{writer, number}, kind: appending}
}

func apply(changes ...*change) (on content) {
	for _, c := range changes {
		on, _ = c.apply(on)
	}
	return on
}

func made(c *change, version uint64, call, back int64) event {
	return event{writer: c.writer, change: c, version: version, call: call, back: back}
}

func looked(read content, call, back int64) event { return event{read: read, call: call, back: back} }

func finally(read content, call, back int64) event {
	return event{read: read, last: true, call: call, back: back}
}

func sightOf(from uint64, c *change, view content) sight {
	return sight{from: from, version: from + 1, tags: []tag{c.tag}, view: view}
}
