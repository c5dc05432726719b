package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"time"
)

var httpPart = part{
	name: "http", title: "Requests", measure: measureHTTP,
	about: "wrk with 64 connections and `Accept-Encoding: gzip`, in turns: Fiber saying hello, Fiber handing out the product's own gzipped page " +
		"as ready bytes, and the product. The product checks its services each minute and stores the signals meanwhile, and has a full hour on its page. " +
		"Ratios are of the same round. The 304 is measured on a second process whose services are checked once an hour, " +
		"so that the tag stays true for the length of the measurement.",
}

// sizes are the numbers of services of a small, a medium and a large page.
var sizes = []int{20, 200, 2000}

// httpSection is the measuring of its section, with what the lab has.
type httpSection struct{ *lab }

func measureHTTP(ctx context.Context, in *lab, run int) error {
	l := httpSection{in}
	target, endTarget, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer endTarget()
	sizes := pick(l.lab, sizes, sizes[:2])
	var pages []*product
	ready := []string{}
	for _, n := range sizes {
		p, end, err := l.filled(ctx, spec{services: n, interval: time.Minute, target: target, seedHours: 2})
		if err != nil {
			return err
		}
		defer end()
		body, err := get(ctx, p.URL+"/", "Accept-Encoding", "gzip")
		if err != nil {
			return err
		}
		if run == 0 {
			l.Add(fmt.Sprintf("`GET /`, %d services", n), "gzipped page", "bytes", float64(len(body)))
		}
		file := filepath.Join(p.dir, "page.gz")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			return err
		}
		ready = append(ready, "-ready", fmt.Sprintf("%d=%s", n, file))
		pages = append(pages, p)
	}
	c, err := harness.Start(ctx, "", nil, l.bin("ceiling"), ready...)
	if err != nil {
		return err
	}
	defer c.End()
	ceiling, err := c.Await(`url=(http://\S+)`)
	if err != nil {
		return err
	}
	return l.httpRound(ctx, ceiling, pages, target)
}

// httpRound measures everything once, each beside its ceiling.
func (l httpSection) httpRound(ctx context.Context, ceiling string, pages []*product, target string) error {
	length := l.span(8*time.Second, time.Second)
	small := pages[0].URL
	hello, err := l.wrk(ctx, ceiling+"/hello", length)
	if err != nil {
		return err
	}
	l.addLoad("Fiber hello", hello, nil, "", "")
	for i, p := range pages {
		group := fmt.Sprintf("`GET /`, %d services", p.spec.services)
		top, err := l.wrk(ctx, fmt.Sprintf("%s/ready/%d", ceiling, p.spec.services), length)
		if err != nil {
			return err
		}
		l.addLoad(group+": Fiber's ready bytes", top, nil, "", "")
		got, err := l.wrk(ctx, p.URL+"/", length)
		if err != nil {
			return err
		}
		rate, p99 := "≥ 0.9", "≤ 1.5"
		if i == 2 {
			rate, p99 = "", ""
		}
		l.addLoad(group, got, &top, rate, p99)
	}
	if err := l.notModified(ctx, hello, target, length); err != nil {
		return err
	}
	for _, x := range []struct{ name, path, goal string }{
		{"Badge", "/badge/svc-00001/status.svg", "≥ 0.8"},
		{"`/signals?limit=60`", "/signals?limit=60", ""},
		{"`/healthz`", "/healthz", ""},
	} {
		got, err := l.wrk(ctx, small+x.path, length)
		if err != nil {
			return err
		}
		l.addLoad(x.name, got, &hello, x.goal, "")
		if x.path == "/signals?limit=60" {
			l.Add(x.name, "p99 ", "ms", got.p99, "≤ 10")
		}
	}
	return nil
}

// notModified measures a page that the reader has.
func (l httpSection) notModified(ctx context.Context, hello load, target string, length time.Duration) error {
	p, end, err := l.filled(ctx, spec{services: 20, interval: time.Hour, target: target})
	if err != nil {
		return err
	}
	defer end()
	time.Sleep(3 * time.Second) // The first runs after a start.
	for range 5 {
		// The grid moves with the minute, and the tag with it.
		if rest := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); rest < length+3*time.Second {
			time.Sleep(rest + 2*time.Second)
		}
		tag, err := p.tag(ctx)
		if err != nil {
			return err
		}
		a, err := fetch(ctx, p.URL+"/", "Accept-Encoding", "gzip", "If-None-Match", tag)
		if err != nil {
			return err
		}
		got, err := l.wrk(ctx, p.URL+"/", length, "If-None-Match", tag)
		if err != nil {
			return err
		}
		after, err := p.tag(ctx)
		if err != nil {
			return err
		}
		if tag == after && a.code == http.StatusNotModified {
			l.addLoad("`GET /` with `If-None-Match`, 304", got, &hello, "≥ 0.8", "")
			return nil
		}
	}
	l.Note("The 304 was not measured: the tag of an unchanged page did not stay the same.")
	return nil
}

func (p *product) tag(ctx context.Context) (string, error) {
	a, err := fetch(ctx, p.URL+"/", "Accept-Encoding", "gzip")
	return a.header.Get("ETag"), err
}

// addLoad adds a load, and its ratios to the ceiling's.
func (l *lab) addLoad(group string, got load, ceiling *load, rate, p99 string) {
	l.Add(group, "rate", "req/s", got.perSecond)
	l.Add(group, "p50", "ms", got.p50)
	l.Add(group, "p99", "ms", got.p99)
	if ceiling != nil {
		l.Add(group, "rate ÷ ceiling's", "×", got.perSecond/ceiling.perSecond, rate)
		l.Add(group, "p99 ÷ ceiling's", "×", got.p99/ceiling.p99, p99)
	}
}
