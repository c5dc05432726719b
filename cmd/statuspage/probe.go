package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"statuspage/internal/app/probing"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// probe measures once, prints what it found, and tells by its exit status.
func (e env) probe(ctx context.Context, args []string) error {
	f := e.flags("probe")
	file := f.String("config", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return errors.New("probe: name one service or URL")
	}
	cfg, c, err := e.findCheck(*file, f.Arg(0))
	if err != nil {
		return err
	}
	r := probing.Prober(cfg.Guard).Kinds()[c.Kind().Name](ctx, c.Attempt())
	fmt.Fprintf(e.stdout, "%s  %s\n", c.Name, c.URL)
	fmt.Fprintf(e.stdout, "outcome     %s\n", r.Outcome)
	if r.Reason != status.None {
		fmt.Fprintf(e.stdout, "reason      %s\n", r.Reason.Text())
	}
	if r.HTTPStatus > 0 {
		fmt.Fprintf(e.stdout, "status      %d\n", r.HTTPStatus)
	}
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"dns", r.Phases.DNS}, {"connect", r.Phases.Connect}, {"tls", r.Phases.TLS}, {"first byte", r.Phases.FirstByte}, {"total", r.Duration}} {
		if p.d > 0 {
			fmt.Fprintf(e.stdout, "%-11s %.1f ms\n", p.name, float64(p.d.Microseconds())/1000)
		}
	}
	if !r.CertificateExpiry.IsZero() {
		fmt.Fprintf(e.stdout, "certificate until %s\n", r.CertificateExpiry.UTC().Format(time.DateOnly))
	}
	if r.Err != nil {
		fmt.Fprintf(e.stdout, "error       %s\n", visible(r.Err.Error()))
	}
	if !r.Outcome.Available() {
		return errReported
	}
	return nil
}

// visible has escapes for what would move a terminal's cursor or turn its text: a target may have written it.
func visible(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if status.IsControl(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (e env) findCheck(file, what string) (*config.Config, check.Check, error) {
	o := config.Overrides{File: file}
	isURL := strings.Contains(what, "://")
	if isURL {
		o.URLs = []string{what}
	}
	cfg, err := config.Load(o, e.getenv, os.ReadFile)
	if err != nil {
		return nil, check.Check{}, err
	}
	for _, c := range cfg.Checks {
		if isURL || c.ID == what || strings.EqualFold(c.Name, what) {
			return cfg, c, nil
		}
	}
	return nil, check.Check{}, fmt.Errorf("probe: no service %q in the configuration; name one of it, or a URL", what)
}
