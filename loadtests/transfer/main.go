// Command transfer is what transfer.sh compares with, on Go's net/http: transfer PORT FOLDER. GET /files/NAME, GET /bytes?n=N, PUT /discard.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: transfer PORT FOLDER")
		os.Exit(2)
	}
	folder := os.Args[2]
	http.HandleFunc("/files/", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(folder, path.Base(r.URL.Path)))
	})
	http.HandleFunc("/bytes", generate)
	http.HandleFunc("/discard", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, n)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
	os.Exit(1)
}

// pattern is as long as the pieces that the others write.
var pattern = func() []byte {
	octets := make([]byte, 251*256)
	for i := range octets {
		octets[i] = byte(i % 251)
	}
	return octets
}()

func generate(w http.ResponseWriter, r *http.Request) {
	left, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil || left < 0 {
		http.Error(w, "n must be a number", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	for left > 0 {
		piece := pattern
		if left < int64(len(piece)) {
			piece = piece[:left]
		}
		n, err := w.Write(piece)
		if err != nil {
			return
		}
		left -= int64(n)
	}
}
