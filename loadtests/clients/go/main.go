// Command go asks the server with Go's net/http client: go ADDRESS. Prints "ok NAME" or "FAILED NAME: why" for each check.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"os"
	"strings"
	"time"
)

var base string

func check(name string, run func() error) {
	if err := run(); err != nil {
		fmt.Printf("FAILED %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok %s\n", name)
}

func expect(got, want interface{}) error {
	if got != want {
		return fmt.Errorf("got %.200v, not %.200v", got, want)
	}
	return nil
}

func text(response *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s", response.StatusCode, body), err
}

// reader hides the length of a body, so that it is sent chunked.
type reader struct{ io.Reader }

func main() {
	base = "http://" + os.Args[1]
	jar, _ := cookiejar.New(nil)
	// The time to wait for 100 (Continue) is longer than the whole may take: a server that does not send it is found out.
	client := &http.Client{
		Jar:       jar,
		Timeout:   20 * time.Second,
		Transport: &http.Transport{ExpectContinueTimeout: time.Minute},
	}
	body := strings.Repeat("0123456789", 100000)

	check("get, gzip undone by the client", func() error {
		response, err := client.Get(base + "/text")
		if err != nil {
			return err
		}
		if !response.Uncompressed {
			return fmt.Errorf("not compressed")
		}
		got, err := text(response, nil)
		if err != nil {
			return err
		}
		return expect(len(got), 4+40*200)
	})
	check("50 requests on one connection", func() error {
		opened := 0
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			if !info.Reused {
				opened++
			}
		}}
		for i := 0; i < 50; i++ {
			request, _ := http.NewRequest("GET", base+"/json", nil)
			got, err := text(client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace))))
			if err != nil {
				return err
			}
			if err := expect(got, `200 {"message":"Hello, World!"}`); err != nil {
				return err
			}
		}
		return expect(opened, 0) // the connection of the check before
	})
	check("head", func() error {
		response, err := client.Head(base + "/plaintext")
		if err != nil {
			return err
		}
		return expect(fmt.Sprint(response.StatusCode, response.ContentLength), "200 13")
	})
	check("post with length", func() error {
		got, err := text(client.Post(base+"/echo", "text/plain", strings.NewReader(body)))
		if err != nil {
			return err
		}
		return expect(got, "200 "+body)
	})
	check("post chunked", func() error {
		got, err := text(client.Post(base+"/echo", "text/plain", reader{strings.NewReader(body)}))
		if err != nil {
			return err
		}
		return expect(got, "200 "+body)
	})
	check("expect: 100-continue, and content follows", func() error {
		continued := false
		trace := &httptrace.ClientTrace{Got100Continue: func() { continued = true }}
		request, _ := http.NewRequest("POST", base+"/echo", bytes.NewReader([]byte(body)))
		request.Header.Set("Expect", "100-continue")
		got, err := text(client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace))))
		if err != nil {
			return err
		}
		return expect(fmt.Sprint(continued, got == "200 "+body), "true true")
	})
	check("expect: 100-continue, refused unread", func() error {
		sent := &counter{Reader: strings.NewReader(body)}
		request, _ := http.NewRequest("POST", base+"/refuse", sent)
		request.Header.Set("Expect", "100-continue")
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		return expect(fmt.Sprint(response.StatusCode, " ", sent.n), "403 0")
	})
	check("redirect followed", func() error {
		got, err := text(client.Get(base + "/redirect"))
		if err != nil {
			return err
		}
		return expect(got, `200 {"message":"Hello, World!"}`)
	})
	check("cookies", func() error {
		for i := 0; i < 3; i++ {
			got, err := text(client.Get(base + "/cookies"))
			if err != nil {
				return err
			}
			if err := expect(got, fmt.Sprintf("200 seen %d\n", i)); err != nil {
				return err
			}
		}
		return nil
	})
	check("trailers both ways", func() error {
		request, _ := http.NewRequest("POST", base+"/trailers", reader{strings.NewReader("12345")})
		request.Trailer = http.Header{"X-Note": {"from go"}}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if _, err := text(response, nil); err != nil {
			return err
		}
		return expect(response.Trailer.Get("X-Count")+" "+response.Trailer.Get("X-Echo"), "5 from go")
	})
	check("range", func() error {
		request, _ := http.NewRequest("GET", base+"/files/digits.txt", nil)
		request.Header.Set("Range", "bytes=10-14")
		got, err := text(client.Do(request))
		if err != nil {
			return err
		}
		return expect(got, "206 01234")
	})
	check("large download", func() error {
		response, err := client.Get(base + "/bytes?n=50000000")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		all, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		for i, octet := range all {
			if int(octet) != i%251 {
				return fmt.Errorf("octet %d is %d", i, octet)
			}
		}
		return expect(len(all), 50000000)
	})
}

type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}
