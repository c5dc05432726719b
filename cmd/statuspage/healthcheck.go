package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"statuspage/internal/config"
	"time"
)

const healthTimeout = 3 * time.Second

// healthcheck asks a running process whether it lives, for images without a shell.
func (e env) healthcheck(ctx context.Context, args []string) error {
	f := e.flags("healthcheck")
	file, address := f.String("config", "", ""), f.String("listen", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	cfg, err := config.Load(config.Overrides{File: *file, Listen: *address}, e.getenv, os.ReadFile)
	if err != nil {
		return err
	}
	where := cfg.Listen
	if cfg.ListenOps != "" && *address == "" {
		where = cfg.ListenOps // Which visitors can't fill.
	}
	base, err := local(cfg, where)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: the process answers %s", res.Status)
	}
	return nil
}

// local is how a server on this machine is reached that listens on an address, that of the page when it is empty.
func local(cfg *config.Config, address string) (string, error) {
	if address == "" {
		address = cfg.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
