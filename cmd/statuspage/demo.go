package main

import (
	"context"
	"fmt"
	"os"
	"statuspage/internal/app"
	"statuspage/internal/demo"
)

// demo serves a page about sample targets inside the process: real sockets, the real
// prober, a store that is gone when the demo ends.
func (e env) demo(ctx context.Context, args []string) error {
	f := e.flags("demo")
	address := f.String("listen", "127.0.0.1:8000", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "statuspage-demo-")
	if err != nil {
		return fmt.Errorf("folder for the demo's store: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // A left-over folder in the temporary one harms nobody.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cfg, err := demo.Open(ctx, dir, *address)
	if err != nil {
		return err
	}
	return e.start(ctx, app.Options{Config: cfg, Roles: app.All()})
}
