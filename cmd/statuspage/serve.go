package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"statuspage/internal/app"
	"statuspage/internal/config"
	"syscall"
)

const envRole = "STATUSPAGE_ROLE"

// serve measures and shows what the configuration names.
func (e env) serve(ctx context.Context, args []string) error {
	f := e.flags("serve")
	var o config.Overrides
	f.StringVar(&o.File, "config", "", "")
	f.StringVar(&o.Listen, "listen", "", "")
	f.StringVar(&o.ListenOps, "listen-ops", "", "")
	f.StringVar(&o.Database, "database", "", "")
	role := f.String("role", e.getenv(envRole), "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	roles, err := app.ParseRoles(*role)
	if err != nil {
		return err
	}
	o.URLs = f.Args()
	from := &app.Source{Overrides: o, Getenv: e.getenv, Files: &config.Sources{}, Asked: make(chan os.Signal, 1)}
	signal.Notify(from.Asked, syscall.SIGHUP)
	defer signal.Stop(from.Asked)
	cfg, err := config.Load(o, e.getenv, from.Files.ReadFile)
	if err != nil {
		return err
	}
	if err := roles.Fits(cfg); err != nil {
		return err
	}
	return e.start(ctx, app.Options{Config: cfg, Source: from, Roles: roles})
}

// start runs a server in this process.
func (e env) start(ctx context.Context, o app.Options) error {
	e.smallHeap()
	o.Log, o.Version = slog.New(slog.NewTextHandler(e.stderr, nil)), buildVersion()
	return app.Run(ctx, o)
}
