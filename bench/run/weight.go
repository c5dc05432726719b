package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
)

var weightPart = part{
	name: "weight", title: "First view", measure: measureWeight,
	about: "Headless Chromium with a fresh profile opens the page and looks half a second longer: all requests, and all bytes that came, with headers, " +
		"as they were on the wire. *Once it is live* is the same three seconds later, with htmx and the stream. The favicon is fetched beside it and counted too when Chromium has not done so. First paint is from the start of the navigation.",
}

// firstLook is how long the browser looks after the page has loaded. Script and stream that the first view does not
// need come later (static/live.js), within secondLook.
const (
	firstLook  = 500 * time.Millisecond
	secondLook = 3 * time.Second
)

var iconAddress = regexp.MustCompile(`<link rel="icon"[^>]*href="([^"]+)"`)

func measureWeight(ctx context.Context, l *lab, _ int) error {
	target, end, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	goals := map[int][2]string{20: {"≤ 21", "≤ 5"}, 200: {"≤ 80", "≤ 5"}}
	for _, n := range []int{20, 200} {
		if err := l.firstView(ctx, target, n, goals[n]); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) firstView(ctx context.Context, target string, n int, goals [2]string) error {
	p, endProduct, err := l.filled(ctx, spec{services: n, interval: time.Minute, target: target, seedHours: 2})
	if err != nil {
		return err
	}
	defer endProduct()
	v, err := l.view(ctx, p.URL)
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d services", n)
	l.Add(group, "on the wire", "KiB", v.bytes/1024, goals[0])
	l.Add(group, "of it the page", "KiB", v.page/1024)
	l.Add(group, "once it is live", "KiB", v.live/1024)
	l.Add(group, "requests", "", float64(v.requests), goals[1])
	l.Add(group, "first paint", "ms", v.paint["first-paint"])
	l.Add(group, "first contentful paint", "ms", v.paint["first-contentful-paint"])
	return nil
}

// view is what a browser loads at first sight, and when it painted.
type view struct {
	bytes    float64
	requests int
	page     float64 // Of the bytes.
	live     float64 // Bytes until it is live.
	paint    map[string]float64
}

func (l *lab) view(ctx context.Context, url string) (v view, err error) {
	t, endTab, err := newTab(ctx)
	if err != nil {
		return v, err
	}
	defer endTab()
	if err := t.open(url + "/"); err != nil {
		return v, err
	}
	time.Sleep(firstLook)
	v.paint, err = eval[map[string]float64](t, `Object.fromEntries(performance.getEntriesByType('paint').map(e => [e.name, e.startTime]))`)
	if err != nil {
		return v, err
	}
	for _, r := range t.loaded() {
		v.bytes += r.bytes
		v.requests++
		if r.url == url+"/" {
			v.page += r.bytes
		}
	}
	page, err := get(ctx, url+"/")
	if err != nil {
		return v, err
	}
	if m := iconAddress.FindSubmatch(page); m != nil && !slices.ContainsFunc(t.loaded(), func(r transfer) bool { return r.url == url+string(m[1]) }) {
		icon, err := fetch(ctx, url+string(m[1]), "Accept-Encoding", "gzip")
		if err != nil {
			return v, err
		}
		v.bytes += float64(len(icon.body))
		for name, values := range icon.header {
			for _, value := range values {
				v.bytes += float64(len(name) + len(value) + 4)
			}
		}
		v.requests++
	}
	early := 0.0
	for _, r := range t.loaded() {
		early += r.bytes
	}
	time.Sleep(secondLook)
	v.live = v.bytes - early
	for _, r := range t.loaded() {
		v.live += r.bytes
	}
	return v, nil
}
