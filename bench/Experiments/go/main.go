// Command go is Go's side of the experiment delay: a server of plaintext that tells how long its goroutines were runnable before they ran.
//
//	go PORT
//
// It ends when its standard input does.
//
// GET /plaintext is the load; GET /delays has a line for each class of the runtime's histogram that has grown since the last
// time: its upper end in ns, and by how much.
package main

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime/metrics"
	"strconv"
	"sync"
)

var (
	lock   sync.Mutex
	before []uint64
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go PORT")
		os.Exit(2)
	}
	if port, err := strconv.ParseUint(os.Args[1], 10, 16); err != nil || port == 0 {
		fmt.Fprintf(os.Stderr, "go: %q is not a port\n", os.Args[1])
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
	http.HandleFunc("/plaintext", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "Hello, World!")
	})
	http.HandleFunc("/delays", func(w http.ResponseWriter, r *http.Request) { writeDelays(w) })
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("listening")
	fmt.Fprintln(os.Stderr, "go:", http.Serve(listener, nil))
	os.Exit(1)
}

func writeDelays(w io.Writer) {
	lock.Lock()
	defer lock.Unlock()
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	delays := sample[0].Value.Float64Histogram()
	if before == nil {
		before = make([]uint64, len(delays.Counts))
	}
	for i, count := range delays.Counts {
		upper := delays.Buckets[i+1]
		if math.IsInf(upper, 1) {
			upper = delays.Buckets[i]
		}
		if grown := count - before[i]; grown > 0 {
			fmt.Fprintf(w, "%.0f %d\n", upper*1e9, grown)
		}
		before[i] = count
	}
}
