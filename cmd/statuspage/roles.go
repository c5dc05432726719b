package main

import (
	"errors"
	"fmt"
	"statuspage/internal/config"
	"strings"
)

// roles are what a process does: all of it by default.
type roles struct {
	web       bool // Shows pages.
	scheduler bool // Plans runs.
	worker    bool // Measures what is planned.
	named     bool // Chosen by the operator, and not all of them.
}

const envRole = "STATUSPAGE_ROLE"

// parseRoles reads all, or some of web, scheduler and worker joined by commas.
func parseRoles(text string) (roles, error) {
	if text == "" || text == "all" {
		return roles{web: true, scheduler: true, worker: true}, nil
	}
	r := roles{named: true}
	for _, word := range strings.Split(text, ",") {
		switch strings.TrimSpace(word) {
		case "web":
			r.web = true
		case "scheduler":
			r.scheduler = true
		case "worker":
			r.worker = true
		default:
			return roles{}, fmt.Errorf("role %q: write all, or some of web, scheduler and worker joined by commas", word)
		}
	}
	return r, nil
}

// fits refuses roles that lack what they share with others.
func (r roles) fits(cfg *config.Config) error {
	shared := !strings.HasPrefix(string(cfg.Database), "sqlite:")
	switch {
	case r.named && cfg.Queue == "":
		return fmt.Errorf("role %s needs a queue: set queue: redis://host:6379/0 in the configuration, or STATUSPAGE_QUEUE_URL", r)
	case r.named && !shared:
		return fmt.Errorf("role %s needs a database that all processes share: set database: questdb://user:password@host:8812/qdb, or STATUSPAGE_DATABASE_URL", r)
	case cfg.Queue != "" && !shared:
		return errors.New("a queue is for several processes, and they need a database that all share: set database: questdb://user:password@host:8812/qdb, or leave queue: out")
	}
	return nil
}

func (r roles) String() string {
	var words []string
	for _, w := range []struct {
		has  bool
		name string
	}{{r.web, "web"}, {r.scheduler, "scheduler"}, {r.worker, "worker"}} {
		if w.has {
			words = append(words, w.name)
		}
	}
	if len(words) == 3 {
		return "all"
	}
	return strings.Join(words, ",")
}
