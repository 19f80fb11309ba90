// The work of bench/Scheduler in Go: same names, same rounds, same lines.
//
//	scheduler [-procs N] [name...]
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	warmUpRounds = 3
	rounds       = 7
)

type benchmark struct {
	name       string
	operations int
	round      func()
}

var timed = []benchmark{
	{"spawn_join", 1_000_000, spawnJoin},
	{"skynet_1M", 1_000_000, skynetRoot},
	{"pingpong_unbuffered", values, pingPong},
	{"chan_buffered_128_1p1c", bufferedValues, buffered},
	{"select_2", values, selectOfTwo},
	{"ring_1000g", 1_000_000, ring},
	{"yield_64g", 64 * 20_000, yield},
	{"timers_sleep_1ms_10kg", 10_000 * 50, timers},
	{"mutex_contended_64g", 64 * 50_000, mutex},
}

const park = "park_1M"

func main() {
	procs := flag.Int("procs", runtime.NumCPU(), "GOMAXPROCS")
	growth := flag.Bool("growth", false, "the same operations among ever more goroutines")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	names := flag.Args()
	if *growth {
		for _, b := range growing() {
			names = append(names, b.name)
		}
	}
	if len(names) == 0 {
		for _, b := range timed {
			names = append(names, b.name)
		}
		names = append(names, park)
	}
	if len(names) == 1 {
		run(names[0])
		return
	}
	for _, name := range names {
		child := exec.Command(os.Args[0], "-procs", strconv.Itoa(*procs), name)
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Run(); err != nil {
			os.Exit(1)
		}
	}
}

func run(name string) {
	if name == park {
		parkMillion()
		return
	}
	for _, b := range growing() {
		if b.name == name {
			b.run()
			return
		}
	}
	for _, b := range timed {
		if b.name != name {
			continue
		}
		for i := 0; i < warmUpRounds; i++ {
			b.round()
		}
		var results []float64
		for i := 0; i < rounds; i++ {
			start := time.Now()
			b.round()
			results = append(results, float64(time.Since(start).Nanoseconds())/float64(b.operations))
		}
		sort.Float64s(results)
		fmt.Printf("%s %.1f ns/op\n", name, results[rounds/2])
		return
	}
	fmt.Fprintf(os.Stderr, "There is no benchmark %s.\n", name)
	os.Exit(2)
}

func spawnJoin() {
	var group sync.WaitGroup
	for batch := 0; batch < 1000; batch++ {
		group.Add(1000)
		for i := 0; i < 1000; i++ {
			go func() { group.Done() }()
		}
		group.Wait()
	}
}

func skynetRoot() {
	result := make(chan int64)
	go skynet(result, 0, 1_000_000)
	if sum := <-result; sum != 499_999_500_000 {
		panic(sum)
	}
}

func skynet(result chan int64, number int64, size int) {
	if size == 1 {
		result <- number
		return
	}
	children := make(chan int64)
	size /= 10
	for i := 0; i < 10; i++ {
		go skynet(children, number+int64(i*size), size)
	}
	var sum int64
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

const (
	values         = 500_000
	bufferedValues = 2_000_000
)

func pingPong() {
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < values; i++ {
			back <- <-there
		}
	}()
	for i := 0; i < values; i++ {
		there <- i
		<-back
	}
}

func buffered() {
	c := make(chan int, 128)
	go func() {
		for i := 0; i < bufferedValues; i++ {
			c <- i
		}
		close(c)
	}()
	for range c {
	}
}

func selectOfTwo() {
	a, b := make(chan int), make(chan int)
	go func() {
		for i := 0; i < values; i += 2 {
			a <- i
			b <- i
		}
	}()
	for i := 0; i < values; i++ {
		select {
		case <-a:
		case <-b:
		}
	}
}

func ring() {
	first := make(chan int)
	last := first
	for i := 0; i < 1000; i++ {
		from, to := last, make(chan int)
		last = to
		go func() {
			for round := 0; round < 1000; round++ {
				to <- <-from + 1
			}
		}()
	}
	for round := 0; round < 1000; round++ {
		first <- 0
		<-last
	}
}

func each(goroutines int, body func()) {
	var group sync.WaitGroup
	group.Add(goroutines)
	for g := 0; g < goroutines; g++ {
		go func() {
			body()
			group.Done()
		}()
	}
	group.Wait()
}

func yield() {
	each(64, func() {
		for i := 0; i < 20_000; i++ {
			runtime.Gosched()
		}
	})
}

func timers() {
	each(10_000, func() {
		for i := 0; i < 50; i++ {
			time.Sleep(time.Millisecond)
		}
	})
}

var counter int64

func mutex() {
	var m sync.Mutex
	each(64, func() {
		for i := 0; i < 50_000; i++ {
			m.Lock()
			counter++
			m.Unlock()
		}
	})
}

func parkMillion() {
	for i := 0; i < 100; i++ {
		parkRound(1_000)
	}
	runtime.GC()
	spawn, wake, memory := parkRound(1_000_000)
	fmt.Printf("park_1M_rss %.1f MB\npark_1M_spawn %.1f ms\npark_1M_wake %.1f ms\n", memory, spawn, wake)
}

func parkRound(goroutines int) (spawn, wake, memory float64) {
	stop := make(chan bool)
	var parked, ended sync.WaitGroup
	parked.Add(goroutines)
	ended.Add(goroutines)
	before := residentMegabytes()
	start := time.Now()
	for i := 0; i < goroutines; i++ {
		go func() {
			parked.Done()
			<-stop
			ended.Done()
		}()
	}
	parked.Wait()
	spawn = milliseconds(start)
	memory = residentMegabytes() - before
	start = time.Now()
	close(stop)
	ended.Wait()
	return spawn, milliseconds(start), memory
}

func milliseconds(start time.Time) float64 { return float64(time.Since(start).Microseconds()) / 1000 }

func residentMegabytes() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") {
			kilobytes, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
			return kilobytes / 1024
		}
	}
	return 0
}
