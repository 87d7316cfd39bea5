// Command program does what needs the runtime's tables: it is run as the linker made it and shrunk.
package main

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) count() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.count() + t.right.count()
}

// names returns the functions of the stack, inlined ones too.
func names() (all []string) {
	callers := make([]uintptr, 16)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		all = append(all, frame.Function)
		if !more {
			return all
		}
	}
}

func inlined() []string { return names() }

type fault struct{ text string }

func (f fault) Error() string { return f.text }

func recovered(call func()) (text string) {
	defer func() {
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
	}()
	call()
	return "nothing"
}

func deep(n int) int {
	if n == 0 {
		runtime.GC() // moves and scans a stack that has grown
		return 0
	}
	kept := grow(1)
	return deep(n-1) + kept.count()
}

func main() {
	total := 0
	for range 40 {
		total += grow(12).count()
	}
	println("trees", total, "deep", deep(2000))
	println("names", strings.Join(inlined(), " "))
	var index []int
	var none map[string]int
	println("panics", recovered(func() { _ = index[len(os.Args)] }), recovered(func() { none["a"] = 1 }), recovered(func() { panic(fault{"mine"}) }))
	var mine fault
	println("errors", errors.As(errors.Join(errors.New("a"), fault{"b"}), &mine), mine.text)
	done := make(chan int)
	for i := range 10 {
		go func() {
			time.Sleep(time.Millisecond)
			done <- deep(i * 100)
		}()
	}
	var sums []int
	for range 10 {
		sums = append(sums, <-done)
	}
	slices.Sort(sums)
	for _, sum := range sums {
		print(sum, " ")
	}
	println()
	panic("the end")
}
