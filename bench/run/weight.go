package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

var weightPart = part{
	name: "weight", title: "First view", measure: measureWeight,
	about: "Headless Chromium with a fresh profile opens the page and looks for two seconds: all requests, and all bytes that came, with headers, " +
		"as they were on the wire. Headless Chromium fetches no favicon, so it is fetched beside it and counted too. First paint is from the start of the navigation.",
}

var iconAddress = regexp.MustCompile(`<link rel="icon"[^>]*href="([^"]+)"`)

func measureWeight(ctx context.Context, l *lab, _ int) error {
	target, end, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	goals := map[int][2]string{20: {"≤ 28", "≤ 5"}, 200: {"≤ 80", "≤ 5"}}
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
	t, endTab, err := newTab(ctx)
	if err != nil {
		return err
	}
	defer endTab()
	if err := t.open(p.url + "/"); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	paint, err := eval[map[string]float64](t, `Object.fromEntries(performance.getEntriesByType('paint').map(e => [e.name, e.startTime]))`)
	if err != nil {
		return err
	}
	bytes, requests := 0.0, 0
	for _, r := range t.loaded() {
		bytes += r.bytes
		requests++
	}
	page, err := get(ctx, p.url+"/")
	if err != nil {
		return err
	}
	if m := iconAddress.FindSubmatch(page); m != nil {
		res, icon, err := fetch(ctx, p.url+string(m[1]), "Accept-Encoding", "gzip")
		if err != nil {
			return err
		}
		bytes += float64(len(icon))
		for name, values := range res.Header {
			for _, v := range values {
				bytes += float64(len(name) + len(v) + 4)
			}
		}
		requests++
	}
	group := fmt.Sprintf("%d services", n)
	l.Add(group, "on the wire", "KiB", bytes/1024, goals[0])
	l.Add(group, "requests", "", float64(requests), goals[1])
	l.Add(group, "first paint", "ms", paint["first-paint"])
	l.Add(group, "first contentful paint", "ms", paint["first-contentful-paint"])
	return nil
}
