// Command go is the load target on Go's net/http: the routes of the contract, written as a Go user would.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type message struct {
	Message string `json:"message"`
}

func main() {
	protocol := "http"
	if len(os.Args) == 4 && os.Args[2] == "--protocol" {
		protocol = os.Args[3]
	}
	if len(os.Args) != 2 && len(os.Args) != 4 || protocol != "http" && protocol != "https" {
		fmt.Fprintln(os.Stderr, "usage: go PORT [--protocol http|https]")
		os.Exit(2)
	}
	port, err := strconv.ParseUint(os.Args[1], 10, 16)
	if err != nil || port == 0 {
		fmt.Fprintf(os.Stderr, "go: %q is not a port\n", os.Args[1])
		os.Exit(2)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/plaintext", only(http.MethodGet, plaintext))
	mux.HandleFunc("/json", only(http.MethodGet, jsonMessage))
	mux.HandleFunc("/users/", only(http.MethodGet, user))
	mux.HandleFunc("/echo", only(http.MethodPost, echo))
	// What a soak looks at.
	mux.HandleFunc("/goroutines", only(http.MethodGet, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, runtime.NumGoroutine()) }))
	mux.HandleFunc("/sleep", only(http.MethodGet, pausing(time.Sleep)))
	mux.HandleFunc("/block", only(http.MethodGet, pausing(blockThread)))
	mux.HandleFunc("/ws", only(http.MethodGet, webSocket))

	server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), Handler: mux}
	if protocol == "https" {
		err = serveTLS(server)
	} else {
		err = server.ListenAndServe()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

// only refuses other methods, which Go 1.19's ServeMux cannot, and names the server.
func only(method string, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "go")
		if r.Method != method {
			w.Header().Set("Allow", method)
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		handler(w, r)
	}
}

func plaintext(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello, World!")
}

func jsonMessage(w http.ResponseWriter, r *http.Request) {
	body, err := json.Marshal(message{Message: "Hello, World!"})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func user(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/users/")
	if id == "" || strings.Contains(id, "/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, id)
}

// echo reads all before it writes: in Go 1.19 the first write of an HTTP/1.1 answer ends the reading of the request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func pausing(pause func(time.Duration)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
		if err != nil || ms < 0 || ms > 60000 {
			http.Error(w, "ms must be 0 to 60000", http.StatusBadRequest)
			return
		}
		pause(time.Duration(ms) * time.Millisecond)
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "ok")
	}
}

// blockThread holds the operating system's thread: the goroutine is inside a system call all the while.
func blockThread(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	for {
		asked := left
		if err := syscall.Nanosleep(&asked, &left); err != syscall.EINTR {
			return
		}
	}
}
