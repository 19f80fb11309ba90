package main

import (
	"fmt"
	"sort"
	"sync"
	"syscall"
	"time"
)

// The work of GrowthBenchmark.cs: CPU time of the process per operation.
type growthBenchmark struct {
	name             string
	goroutines, each int
	repeat           int
	round            func(goroutines, each int)
}

func growing() []growthBenchmark {
	var all []growthBenchmark
	add := func(operation string, each func(n int) int, round func(goroutines, each int)) {
		for _, n := range []int{10, 1_000, 100_000, 1_000_000} {
			repeat := max(1, 200_000/(n*each(n)))
			if operation == "timer" {
				repeat = 1
			}
			all = append(all, growthBenchmark{fmt.Sprintf("growth_%s_%d", operation, n), n, each(n), repeat, round})
		}
	}
	add("spawn", func(int) int { return 1 }, spawnAll)
	add("channel", func(n int) int { return max(2, 1_000_000/n) }, passInPairs)
	add("timer", func(n int) int { return min(200, max(2, 1_000_000/n)) }, sleepAll)
	return all
}

func (b growthBenchmark) run() {
	const warmUp, counted = 4, 5
	var results []float64
	for i := 0; i < warmUp+counted; i++ {
		before := cpuTime()
		for r := 0; r < b.repeat; r++ {
			b.round(b.goroutines, b.each)
		}
		if i >= warmUp {
			results = append(results, (cpuTime()-before)/float64(b.goroutines*b.each*b.repeat))
		}
	}
	sort.Float64s(results)
	fmt.Printf("%s %.1f cpu-ns/op\n", b.name, results[counted/2])
}

func cpuTime() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func spawnAll(goroutines, _ int) {
	start := make(chan bool)
	var group sync.WaitGroup
	group.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			<-start
			group.Done()
		}()
	}
	close(start)
	group.Wait()
}

func passInPairs(goroutines, each int) {
	var group sync.WaitGroup
	group.Add(goroutines)
	for i := 0; i < goroutines; i += 2 {
		c := make(chan int)
		go func() {
			for n := 0; n < each; n++ {
				c <- n
			}
			group.Done()
		}()
		go func() {
			for n := 0; n < each; n++ {
				<-c
			}
			group.Done()
		}()
	}
	group.Wait()
}

func sleepAll(goroutines, each int) {
	var group sync.WaitGroup
	group.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			for n := 0; n < each; n++ {
				time.Sleep(time.Millisecond)
			}
			group.Done()
		}()
	}
	group.Wait()
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
