// Command ceiling is what no handler on Fiber can be faster than: one that says hello, and
// ones that hand out ready bytes. With -stream it is what no server of events can be faster
// than, with -ask what no prober can be.
//
//	ceiling -ready page20=page20.gz -ready page200=page200.gz
//	ceiling -stream 715
//	ceiling -ask http://127.0.0.1:8080 -checks 1000 -every 10s -fresh
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ceiling:", err)
		os.Exit(1)
	}
}

func run() error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/hello", func(c *fiber.Ctx) error { return c.SendString("Hello, World!") })
	flag.Func("ready", "NAME=FILE: answer /ready/NAME with a file of gzipped HTML; may be repeated", func(value string) error {
		name, path, found := strings.Cut(value, "=")
		if !found {
			return errors.New("want NAME=FILE")
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		app.Get("/ready/"+name, func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
			c.Set(fiber.HeaderContentEncoding, "gzip")
			c.Context().Response.SetBodyRaw(body)
			return nil
		})
		return nil
	})
	size := flag.Int("stream", 0, "instead, send all who connect an event of so many bytes each second")
	target := flag.String("ask", "", "instead, ask this target")
	checks := flag.Int("checks", 1000, "with -ask, so many paths of it")
	every := flag.Duration("every", 10*time.Second, "with -ask, each of them so often")
	fresh := flag.Bool("fresh", false, "with -ask, on a connection of its own each time")
	flag.Parse()
	if *target != "" {
		return ask(*target, *checks, *every, *fresh)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Returns at once.
	if err != nil {
		return err
	}
	fmt.Println("url=http://" + ln.Addr().String())
	if *size > 0 {
		s := &streams{}
		go s.send(*size)
		return s.accept(ln)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-end
		_ = app.Shutdown() // The end of the process is all that is wanted.
	}()
	return app.Listener(ln)
}
