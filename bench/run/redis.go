package main

import (
	"context"
	"regexp"
	"statuspage/e2e/harness"
)

var redisVersion = regexp.MustCompile(`v=([0-9.]+)`)

// redis starts one that keeps nothing on disk.
func (l *lab) redis(ctx context.Context, dir string) (*harness.Redis, error) {
	r, err := harness.NewRedis(dir, "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	if err := r.Start(ctx); err != nil {
		return nil, err
	}
	if version, err := command(ctx, "redis-server", "--version"); err == nil {
		if m := redisVersion.FindStringSubmatch(version); m != nil {
			l.Machine.Versions["Redis"] = m[1]
		}
	}
	return r, nil
}
