// Command seed fills a store with the past that the services of a configuration could have
// had: signals at their real slots, with slow days, outages of minutes and hours, and holes
// in which nobody measured. The same seed gives the same past.
//
//	go run ./bench/seed -config statuspage.yaml -database sqlite:///data/seeded.db -days 90
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"statuspage/db/questdb"
	"statuspage/db/sqlite"
	"statuspage/internal/config"
	"statuspage/internal/madeup"
	"statuspage/internal/status"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

// store is written to without an outbox: what is made up can be made up again.
type store interface {
	Write(ctx context.Context, signals []status.Signal) error
	Close() error
}

func run() error {
	var o config.Overrides
	flag.StringVar(&o.File, "config", "", "configuration whose services are given a past")
	flag.StringVar(&o.Database, "database", "", "store to fill")
	days := flag.Int("days", 90, "how far back")
	hours := flag.Int("hours", 0, "how far back, instead of days")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	flag.Parse()
	cfg, err := config.Load(o, os.Getenv, os.ReadFile)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := open(ctx, string(cfg.Database))
	if err != nil {
		return err
	}
	now := time.Now()
	from := now.AddDate(0, 0, -*days)
	if *hours > 0 {
		from = now.Add(-time.Duration(*hours) * time.Hour)
	}
	services := make([]status.Service, len(cfg.Checks))
	for i, c := range cfg.Checks {
		services[i] = c.Service
	}
	rows := 0
	for signals := range madeup.History(services, from, now, *seed) {
		if err := s.Write(ctx, signals); err != nil {
			return err
		}
		rows += len(signals)
	}
	took := time.Since(now)
	fmt.Printf("%d signals of %d services since %s, %.0f a second\n", rows, len(services), from.UTC().Format(time.DateTime), float64(rows)/took.Seconds())
	return s.Close()
}

func open(ctx context.Context, url string) (store, error) {
	if path, is := strings.CutPrefix(url, "sqlite:///"); is {
		return sqlite.Open(ctx, path, sqlite.Options{})
	}
	s, err := questdb.New(questdb.Options{URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return s, s.Ensure(ctx)
}
