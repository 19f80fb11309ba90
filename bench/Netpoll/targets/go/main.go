// Command go is the echo server on Go's net, written as a Go user would: a goroutine for each connection.
package main

import (
	"fmt"
	"net"
	"os"
	"sync"
)

const bufferSize = 64 * 1024

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func main() {
	task := ""
	if len(os.Args) == 3 {
		task = os.Args[2]
	}
	if len(os.Args) < 2 || len(os.Args) > 3 || task != "" && task != "--once" && task != "--accept" {
		fmt.Fprintln(os.Stderr, "usage: go PORT [--once | --accept]")
		os.Exit(2)
	}
	if err := serve("127.0.0.1:"+os.Args[1], task); err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

func serve(address, task string) error {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		if task == "--accept" {
			connection.Close()
			continue
		}
		go echo(connection, task == "--once")
	}
}

func echo(connection net.Conn, once bool) {
	defer connection.Close()
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	for {
		n, err := connection.Read(buffer[:])
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:n]); err != nil || once {
			return
		}
	}
}
