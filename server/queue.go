package server

// queue is first in, first out. Its memory is reused, and given up when a large queue has emptied.
type queue[T any] struct {
	items []T
	head  int
}

const keptItems = 64 // an empty queue keeps room for so many

func (q *queue[T]) empty() bool { return q.head == len(q.items) }

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) push(item T) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// pop returns the first item; there must be one.
func (q *queue[T]) pop() T {
	var zero T
	item := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.empty() {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > keptItems {
			q.items = nil
		}
	}
	return item
}

// putBefore puts the items before all others, in their order.
func (q *queue[T]) putBefore(items []T) {
	q.items = append(append(make([]T, 0, len(items)+q.len()), items...), q.items[q.head:]...)
	q.head = 0
}
