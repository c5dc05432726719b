package app

import (
	"errors"
	"fmt"
	"statuspage/internal/config"
	"strings"
)

// Roles are what a process does: all of it by default.
type Roles struct {
	web       bool // Shows pages.
	scheduler bool // Plans runs.
	worker    bool // Measures what is planned.
	named     bool // Chosen by the operator, and not all of them.
}

// All is what one process does alone.
func All() Roles { return Roles{web: true, scheduler: true, worker: true} }

// ParseRoles reads all, or some of web, scheduler and worker joined by commas.
func ParseRoles(text string) (Roles, error) {
	if text == "" || text == "all" {
		return All(), nil
	}
	r := Roles{named: true}
	for word := range strings.SplitSeq(text, ",") {
		switch strings.TrimSpace(word) {
		case "web":
			r.web = true
		case "scheduler":
			r.scheduler = true
		case "worker":
			r.worker = true
		default:
			return Roles{}, fmt.Errorf("role %q: write all, or some of web, scheduler and worker joined by commas", word)
		}
	}
	return r, nil
}

// Fits refuses roles that lack what they share with others.
func (r Roles) Fits(cfg *config.Config) error {
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

// String is as ParseRoles reads it.
func (r Roles) String() string {
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
