package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// together is how far apart in time questions may be that are asked at once, as the product has it.
const together = 80 * time.Millisecond

// asker asks a target as often as so many checks would, and does nothing else with the answers
// than read them: no prober in Go on kept or fresh connections spends less.
type asker struct {
	host  string
	every time.Duration
	fresh bool
	conns []*bufio.ReadWriter // By check, where they are kept.
}

func ask(target string, checks int, every time.Duration, fresh bool) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	a := &asker{host: u.Host, every: every, fresh: fresh, conns: make([]*bufio.ReadWriter, checks)}
	fmt.Println("asking=" + target)
	begun, next := time.Now(), 0
	for range time.Tick(together) {
		var wg sync.WaitGroup
		for due := int(time.Since(begun) * time.Duration(checks) / every); next < due; next++ {
			check := next % checks
			wg.Go(func() {
				if err := a.one(check); err != nil {
					fmt.Println(err) // Too few answers would make it look cheap.
				}
			})
		}
		wg.Wait()
	}
	return nil
}

// one asks once.
func (a *asker) one(check int) error {
	rw := a.conns[check]
	if rw == nil {
		conn, err := net.Dial("tcp", a.host) //nolint:noctx // On loopback.
		if err != nil {
			return err
		}
		rw = bufio.NewReadWriter(bufio.NewReaderSize(conn, 512), bufio.NewWriterSize(conn, 256))
		if a.fresh {
			defer conn.Close() //nolint:errcheck // All was read.
		} else {
			a.conns[check] = rw
		}
	}
	fmt.Fprintf(rw, "HEAD /bare-%d HTTP/1.1\r\nHost: %s\r\n\r\n", check, a.host)
	if err := rw.Flush(); err != nil {
		return err
	}
	for {
		line, err := rw.ReadSlice('\n')
		if err != nil || len(line) <= len("\r\n") {
			return err
		}
	}
}
