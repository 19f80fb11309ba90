//go:build gorilla

package main

import (
	"net/http"

	"github.com/gorilla/websocket"
)

var upgrader websocket.Upgrader

// webSocket echoes each message. net/http has no WebSockets; this is the package that Go's users take for them.
func webSocket(w http.ResponseWriter, r *http.Request) {
	connection, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	defer connection.Close()
	for {
		kind, message, err := connection.ReadMessage()
		if err != nil {
			return // a close frame has been answered
		}
		if err := connection.WriteMessage(kind, message); err != nil {
			return
		}
	}
}
