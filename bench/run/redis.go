package main

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"regexp"
	"statuspage/bench/proc"
)

// redis is a running Redis that keeps nothing on disk.
type redis struct {
	*proc.Process
	url string
}

var redisVersion = regexp.MustCompile(`v=([0-9.]+)`)

// redis starts one on a free port of loopback.
func (l *lab) redis(ctx context.Context, dir string) (*redis, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errors.New("redis-server is missing; install it: apt-get install redis-server")
	}
	if version, err := command(ctx, "redis-server", "--version"); err == nil {
		if m := redisVersion.FindStringSubmatch(version); m != nil {
			l.Machine.Versions["Redis"] = m[1]
		}
	}
	address := freeAddress()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	p, err := proc.Start(ctx, dir, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	if _, err := p.Await(`(Ready to accept connections)`); err != nil {
		p.Stop()
		return nil, err
	}
	return &redis{p, "redis://" + address + "/0"}, nil
}
