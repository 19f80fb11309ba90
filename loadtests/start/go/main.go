// Command go is examples/HelloHttp on Go's net/http: hello-go ADDRESS.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: hello-go ADDRESS")
		os.Exit(2)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "Hello, World!\n")
	})
	mux.HandleFunc("/hello/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", strings.TrimPrefix(r.URL.Path, "/hello/"))
	})
	fmt.Printf("Listening on %s.\n", os.Args[1])
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}
