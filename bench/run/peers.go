package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"time"
)

var peersPart = part{
	name: "peers", title: "Beside others", measure: measurePeers,
	about: "Vigil, a status page in Rust, from crates.io (`make bench-peers`), with the same targets, and the product, in turns and in the same way: wrk with 64 connections, " +
		"starts on an empty store, the resident set some seconds after, and what headless Chromium loads.",
}

// peer is a status page to compare with.
type peer struct {
	name, url, badge string
	start            func() (*harness.Process, error)
	binary           string
}

// peersSection is the measuring of its section, with what the lab has.
type peersSection struct{ *lab }

func measurePeers(ctx context.Context, in *lab, _ int) error {
	l := peersSection{in}
	if l.vigil == "" {
		return errors.New("-vigil names the binary of Vigil, and -vigil-assets its assets; scripts/bench-peers installs both")
	}
	target, end, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, n := range []int{20, 200} {
		dir, remove, err := l.scratch()
		if err != nil {
			return err
		}
		peers, err := l.peers(ctx, dir, target, n)
		if err == nil {
			for _, p := range peers {
				if err = l.beside(ctx, p, n); err != nil {
					err = fmt.Errorf("%s: %w", p.name, err)
					break
				}
			}
		}
		remove()
		if err != nil {
			return err
		}
	}
	return nil
}

func (l peersSection) peers(ctx context.Context, dir, target string, n int) ([]peer, error) {
	listen, err := harness.FreeAddress()
	if err != nil {
		return nil, err
	}
	address, err := harness.FreeAddress()
	if err != nil {
		return nil, err
	}
	s := spec{services: n, interval: time.Minute, target: target, listen: listen}
	if err := l.prepare(ctx, dir, s); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "vigil.cfg")
	if err := os.WriteFile(config, []byte(vigilConfig(address, l.vigilAssets, s)), 0o600); err != nil {
		return nil, err
	}
	return []peer{
		{"Vigil", "http://" + address, "/badge/icon", func() (*harness.Process, error) {
			return harness.Start(ctx, dir, nil, l.vigil, "-c", config)
		}, l.vigil},
		{"statuspage", "http://" + s.listen, "/badge/page/status.svg", func() (*harness.Process, error) {
			return harness.Start(ctx, dir, nil, l.bin("statuspage"), "serve")
		}, l.bin("statuspage")},
	}, nil
}

// vigilConfig is the same set of services, polled as often.
func vigilConfig(address, assets string, s spec) string {
	var b strings.Builder
	_, port, _ := net.SplitHostPort(address) // Made by us.
	fmt.Fprintf(&b, `[server]
log_level = "error"
inet = "127.0.0.1:%s"
workers = 2
manager_token = "bench"
reporter_token = "bench"
[assets]
path = "%s/"
[branding]
page_title = "Acme status"
page_url = "http://%s/"
company_name = "Acme"
icon_color = "#1972F5"
icon_url = "http://%s/none.png"
logo_color = "#1972F5"
logo_url = "http://%s/none.svg"
website_url = "http://%s/"
support_url = "mailto:nobody@example.com"
custom_html = ""
[metrics]
poll_interval = %d
poll_retry = 2
poll_retry_wait = 500
poll_http_status_healthy_above = 200
poll_http_status_healthy_below = 400
poll_delay_dead = 10
poll_delay_sick = 5
poll_parallelism = 4
push_delay_dead = 20
push_system_cpu_sick_above = 0.90
push_system_ram_sick_above = 0.90
script_interval = 300
script_parallelism = 2
local_delay_dead = 40
[plugins]
[notify]
startup_notification = false
[probe]
`, port, strings.TrimSuffix(assets, "/"), address, address, address, address, int(s.interval.Seconds()))
	for n := range s.services {
		id := s.service(n + 1).ID
		if n%20 == 0 {
			fmt.Fprintf(&b, "[[probe.service]]\nid = \"group-%d\"\nlabel = \"Group %d\"\n", n/20+1, n/20+1)
		}
		fmt.Fprintf(&b, "[[probe.service.node]]\nid = \"%s\"\nlabel = \"Service %d\"\nmode = \"poll\"\nreplicas = [\"%s/%s\"]\n", id, n+1, s.target, id)
	}
	return b.String()
}

// beside measures one peer.
func (l peersSection) beside(ctx context.Context, p peer, n int) error {
	group := fmt.Sprintf("%s, %d services", p.name, n)
	running, err := p.start()
	if err != nil {
		return err
	}
	defer running.End()
	for deadline := running.Started.Add(30 * time.Second); ; time.Sleep(500 * time.Microsecond) {
		if _, err := get(ctx, p.url+"/"); err == nil {
			break
		} else if time.Now().After(deadline) || !running.Alive() {
			return fmt.Errorf("no page: %w; it said: %s", err, running.Tail())
		}
	}
	l.Add(group, "first page after exec", "ms", time.Since(running.Started).Seconds()*1000)
	time.Sleep(l.span(20*time.Second, 4*time.Second))
	taken, err := usage(running)
	if err != nil {
		return err
	}
	l.Add(group, "memory", "MiB", float64(taken.RSS)/(1<<20))
	if info, err := os.Stat(p.binary); err == nil && n == 20 {
		l.Add(group, "binary", "MiB", float64(info.Size())/(1<<20))
	}
	v, err := l.view(ctx, p.url)
	if err != nil {
		return err
	}
	l.Add(group, "first view on the wire", "KiB", v.bytes/1024)
	l.Add(group, "first view, requests", "", float64(v.requests))
	l.Add(group, "first paint", "ms", v.paint["first-paint"])
	for _, x := range []struct{ name, path string }{{"`GET /`", "/"}, {"badge", p.badge}} {
		got, err := l.wrk(ctx, p.url+x.path, l.span(8*time.Second, time.Second))
		if err != nil {
			return err
		}
		l.Add(group, x.name+", rate", "req/s", got.perSecond)
		l.Add(group, x.name+", p99", "ms", got.p99)
	}
	return nil
}
