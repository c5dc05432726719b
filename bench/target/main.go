// Command target is what the product watches while it is measured: a server that answers
// every path and remembers when it was asked and when it answered.
//
//	target -vary 40ms -hang-every 20
//
// GET /seen?since=MICROSECONDS gives, by path, pairs of instants since then.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	keep    = 2048             // Visits of a path; older ones are forgotten.
	hangFor = 30 * time.Second // Longer than any timeout of a check here.
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "target:", err)
		os.Exit(1)
	}
}

// log is when each path was asked and answered, in microseconds since 1970.
type log struct {
	mu   sync.Mutex
	seen map[string][][2]int64
}

func (l *log) add(path string, asked, answered time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[path] = append(l.seen[path], [2]int64{asked.UnixMicro(), answered.UnixMicro()})
	l.seen[path] = l.seen[path][max(0, len(l.seen[path])-keep):]
}

func (l *log) since(us int64) map[string][][2]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string][][2]int64, len(l.seen))
	for path, visits := range l.seen {
		for i, v := range visits {
			if v[0] >= us {
				out[path] = append([][2]int64(nil), visits[i:]...)
				break
			}
		}
	}
	return out
}

func run() error {
	vary := flag.Duration("vary", 0, "answer after up to so long, by chance, so that every answer changes the page")
	hangEvery := flag.Int("hang-every", 0, "paths whose number is a multiple of this are never answered")
	flag.Parse()
	l := &log{seen: map[string][][2]int64{}}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/seen", func(c *fiber.Ctx) error {
		return c.JSON(l.since(int64(c.QueryInt("since"))))
	})
	app.All("/*", func(c *fiber.Ctx) error {
		asked, path := time.Now(), c.Path()[1:]
		if *hangEvery > 0 && number(path)%*hangEvery == 0 {
			l.add(path, asked, asked)
			time.Sleep(hangFor)
			return nil
		}
		if *vary > 0 {
			time.Sleep(rand.N(*vary))
		}
		l.add(path, asked, time.Now())
		return nil
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Returns at once.
	if err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-end
		os.Exit(0) // What hangs here must not keep the process.
	}()
	fmt.Println("url=http://" + ln.Addr().String())
	return app.Listener(ln)
}

// number reads the digits at the end of a path.
func number(path string) int {
	n, err := strconv.Atoi(path[strings.LastIndexByte(path, '-')+1:])
	if err != nil {
		return 1 // Hangs nowhere.
	}
	return n
}
