// Package sorting sorts in less code than package slices, whose sort costs the browser's download 8 KB for two types.
package sorting

// few is how many items are sorted by insertion.
const few = 12

// Func sorts the items by a comparison that is negative when a comes before b. It keeps the order of equal ones, and
// takes memory for half of the items when there are more than few.
func Func[T any](items []T, compare func(a, b T) int) {
	var buffer []T
	if len(items) > few {
		buffer = make([]T, len(items)/2)
	}
	sort(items, buffer, compare)
}

func sort[T any](items, buffer []T, compare func(a, b T) int) {
	if len(items) <= few {
		insert(items, compare)
		return
	}
	half := len(items) / 2
	sort(items[:half], buffer, compare)
	sort(items[half:], buffer, compare)
	if compare(items[half-1], items[half]) > 0 {
		merge(items, buffer[:copy(buffer, items[:half])], compare)
	}
}

// insert sorts few items.
func insert[T any](items []T, compare func(a, b T) int) {
	for i := 1; i < len(items); i++ {
		item, at := items[i], i
		for ; at > 0 && compare(items[at-1], item) > 0; at-- {
			items[at] = items[at-1]
		}
		items[at] = item
	}
}

// merge puts into items what left and the rest of items, behind the place of left, have in order.
func merge[T any](items, left []T, compare func(a, b T) int) {
	at, l := 0, 0
	for r := len(left); l < len(left) && r < len(items); at++ {
		if compare(left[l], items[r]) > 0 {
			items[at] = items[r]
			r++
		} else {
			items[at] = left[l]
			l++
		}
	}
	copy(items[at:], left[l:])
}
