package main

import "github.com/server-state-sync/server-state-sync/bench/report"

func goBenchmarks(root string) ([]report.Benchmark, error) { return nil, nil }
