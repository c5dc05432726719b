package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"statuspage/e2e/harness"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

const fillWait = 3 * time.Minute

// spec is how the product is set up.
type spec struct {
	services  int
	interval  time.Duration
	timeout   time.Duration // 0 leaves it to the product.
	keepAlive bool
	target    string   // Address of the target; each service has a path of its own.
	targets   []string // More of them, which take turns with it.
	database  string   // Empty for a SQLite file in the folder.
	queue     string   // Empty for one process.
	role      string   // Empty for all.
	listen    string   // Empty for a free port.
	seedHours int      // Of a past, made up before the start.
	seedDays  int
}

// service is the nth service, from 1.
func (s spec) service(n int) status.Service {
	return status.Service{ID: fmt.Sprintf("svc-%05d", n), Interval: s.interval}
}

// all are the services.
func (s spec) all() []status.Service {
	services := make([]status.Service, s.services)
	for i := range services {
		services[i] = s.service(i + 1)
	}
	return services
}

// yaml writes the configuration. Twenty services share a heading.
func (s spec) yaml(dir string) string {
	var b strings.Builder
	database := s.database
	if database == "" {
		database = "sqlite:///" + filepath.Join(dir, "statuspage.db")
	}
	listen := s.listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	fmt.Fprintf(&b, "title: Acme status\nlisten: %s\ndatabase: %s\noutbox: %s\nmax_viewers: 19000\n", listen, database, filepath.Join(dir, "outbox.db"))
	if s.queue != "" {
		fmt.Fprintf(&b, "queue: %s\n", s.queue)
	}
	fmt.Fprintf(&b, "defaults:\n  interval: %v\n  keep_alive: %v\n", s.interval, s.keepAlive)
	if s.timeout > 0 {
		fmt.Fprintf(&b, "  timeout: %v\n", s.timeout)
	}
	b.WriteString("services:\n")
	targets := append([]string{s.target}, s.targets...)
	for n := range s.services {
		id := s.service(n + 1).ID
		fmt.Fprintf(&b, "  - {name: Service %d, id: %s, group: Group %d, url: '%s/%s'}\n", n+1, id, n/20+1, targets[n%len(targets)], id)
	}
	return b.String()
}

// product is a running product.
type product struct {
	*harness.Product
	dir  string
	spec spec
}

// prepare writes the configuration into dir and makes up the past.
func (l *lab) prepare(ctx context.Context, dir string, s spec) error {
	if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(s.yaml(dir)), 0o600); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	past := []string{"-days", strconv.Itoa(s.seedDays)}
	if s.seedHours > 0 {
		past = []string{"-hours", strconv.Itoa(s.seedHours)}
	} else if s.seedDays == 0 {
		return nil
	}
	_, err := output(ctx, dir, l.bin("seed"), append([]string{"-config", "statuspage.yaml"}, past...)...)
	return err
}

// product starts the product in dir, where it was prepared.
func (l *lab) product(ctx context.Context, dir string, s spec) (*product, error) {
	command := []string{l.bin("statuspage"), "serve"}
	if s.role != "" {
		command = append(command, "--role", s.role)
	}
	p, err := harness.StartProduct(ctx, dir, nil, command...)
	if err != nil {
		return nil, err
	}
	if err := p.AwaitListening(); err != nil {
		p.End()
		return nil, err
	}
	return &product{p, dir, s}, nil
}

// filled starts the product in a folder of its own, with its past on the page.
func (l *lab) filled(ctx context.Context, s spec) (p *product, end func(), err error) {
	dir, remove, err := l.scratch()
	if err != nil {
		return nil, nil, err
	}
	if err := l.prepare(ctx, dir, s); err != nil {
		remove()
		return nil, nil, err
	}
	if p, err = l.product(ctx, dir, s); err != nil {
		remove()
		return nil, nil, err
	}
	end = func() {
		p.End()
		remove()
	}
	if err := p.awaitFilled(ctx); err != nil {
		end()
		return nil, nil, err
	}
	// The page may be older than the board by as much as it says.
	time.Sleep(pageOldest)
	return p, end, nil
}

// pageOldest is how old a page may be, and a little more.
const pageOldest = 1500 * time.Millisecond

// complete returns how long after exec the page first was about as long, compressed, as it was
// in the end: a page without a past compresses to much less.
func (p *product) complete(ctx context.Context) (time.Duration, error) {
	type look struct {
		at   time.Duration
		size int
	}
	var looks []look
	for end := time.Now().Add(2 * pageOldest); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		page, err := get(ctx, p.URL+"/", "Accept-Encoding", "gzip")
		if err != nil {
			return 0, err
		}
		looks = append(looks, look{time.Since(p.Started), len(page)})
	}
	last := looks[len(looks)-1].size
	first := slices.IndexFunc(looks, func(l look) bool { return abs(l.size-last)*20 <= last })
	return looks[first].at, nil
}

func abs(n int) int { return max(n, -n) }

// awaitFilled waits until the page shows all of the past.
func (p *product) awaitFilled(ctx context.Context) error {
	for deadline := time.Now().Add(fillWait); time.Now().Before(deadline) && p.Alive(); time.Sleep(2 * time.Millisecond) {
		if body, err := get(ctx, p.URL+"/readyz"); err == nil && strings.Contains(string(body), `"board":"filled"`) {
			return nil
		}
	}
	return fmt.Errorf("the product did not fill its page: %s", p.Tail())
}

// target starts a target.
func (l *lab) target(ctx context.Context, args ...string) (url string, end func(), err error) {
	p, err := harness.Start(ctx, "", nil, l.bin("target"), args...)
	if err != nil {
		return "", nil, err
	}
	if url, err = p.Await(`url=(http://\S+)`); err != nil {
		p.End()
		return "", nil, err
	}
	return url, p.End, nil
}
