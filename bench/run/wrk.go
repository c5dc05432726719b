package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

const connections = 64

// load is what wrk found.
type load struct {
	perSecond float64
	p50, p99  float64 // Milliseconds.
}

var (
	wrkRate   = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkShare  = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([0-9.]+[a-z]+)`)
	wrkErrors = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)`)
)

// wrk asks for an address on 64 connections for so long.
func (l *lab) wrk(ctx context.Context, url string, length time.Duration, headers ...string) (load, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return load{}, errors.New("wrk is missing; install it: apt-get install wrk")
	}
	args := []string{"-t2", "-c" + strconv.Itoa(connections), fmt.Sprintf("-d%ds", max(1, int(length.Seconds()))), "--latency", "-H", "Accept-Encoding: gzip"}
	for i := 0; i+1 < len(headers); i += 2 {
		args = append(args, "-H", headers[i]+": "+headers[i+1])
	}
	out, err := command(ctx, "wrk", append(args, url)...)
	if err != nil {
		return load{}, err
	}
	var r load
	if m := wrkRate.FindStringSubmatch(out); m != nil {
		r.perSecond, err = strconv.ParseFloat(m[1], 64)
	}
	for _, m := range wrkShare.FindAllStringSubmatch(out, -1) {
		d, errShare := time.ParseDuration(m[2])
		err = errors.Join(err, errShare)
		if ms := d.Seconds() * 1000; m[1] == "50" {
			r.p50 = ms
		} else {
			r.p99 = ms
		}
	}
	if m := wrkErrors.FindString(out); m != "" {
		l.Note("%s: wrk says %q.", path(url), m)
	}
	if err != nil || r.perSecond == 0 {
		return r, errors.Join(err, fmt.Errorf("wrk said: %s", out))
	}
	return r, nil
}

// path is an address without the server.
func path(url string) string {
	for i, slashes := 0, 0; i < len(url); i++ {
		if url[i] == '/' {
			if slashes++; slashes == 3 {
				return url[i:]
			}
		}
	}
	return url
}
