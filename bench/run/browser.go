package main

import (
	"context"
	"errors"
	"os/exec"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// tab is a page in a browser of its own, with a fresh profile.
type tab struct {
	ctx      context.Context //nolint:containedctx // The life of the browser, as chromedp wants it.
	mu       sync.Mutex
	requests map[network.RequestID]*transfer
}

// transfer is one request and what came for it.
type transfer struct {
	url   string
	bytes float64 // With the header, as they came.
}

func newTab(ctx context.Context) (*tab, func(), error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, errors.New("chromium is missing; install it: apt-get install chromium")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	alloc, stop := chromedp.NewExecAllocator(ctx, options...)
	browser, cancel := chromedp.NewContext(alloc)
	end := func() { cancel(); stop() }
	t := &tab{ctx: browser, requests: map[network.RequestID]*transfer{}}
	err = chromedp.Do(browser, chromedp.Navigate("about:blank"), chromedp.EmulateViewport(1280, 800))
	if err == nil {
		err = chromedp.Listen(browser, t.note)
	}
	if err == nil {
		_, err = chromedp.Call(browser, network.Enable, network.EnableParams{})
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return t, end, nil
}

// note keeps what the network did. A stream has no end, so it counts by what has come of it.
func (t *tab) note(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		t.requests[e.RequestID] = &transfer{url: e.Request.URL}
	case *network.EventResponseReceived:
		if r := t.requests[e.RequestID]; r != nil {
			r.bytes = e.Response.EncodedDataLength
		}
	case *network.EventDataReceived:
		if r := t.requests[e.RequestID]; r != nil {
			r.bytes += float64(e.EncodedDataLength)
		}
	case *network.EventLoadingFinished:
		if r := t.requests[e.RequestID]; r != nil {
			r.bytes = e.EncodedDataLength
		}
	}
}

// loaded is what the tab has asked for so far.
func (t *tab) loaded() []transfer {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []transfer
	for _, r := range t.requests {
		if len(r.url) > 4 && r.url[:4] == "http" {
			all = append(all, *r)
		}
	}
	return all
}

func eval[T any](t *tab, js string) (T, error) {
	return chromedp.Run(t.ctx, chromedp.Evaluate[T](js))
}

func (t *tab) open(url string) error { return chromedp.Do(t.ctx, chromedp.Navigate(url)) }
