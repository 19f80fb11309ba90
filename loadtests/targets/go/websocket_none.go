//go:build !gorilla

package main

import "net/http"

// webSocket says that there are none: net/http has none, and the package for them was not there for the build.
func webSocket(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "built without WebSockets", http.StatusNotImplemented)
}
