package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// alert tries a channel, or tells why somebody was told or not.
func (e env) alert(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	if verb != "test" && verb != "explain" {
		return errors.New("alert: say `alert test CHANNEL` or `alert explain SERVICE`")
	}
	f := e.flags("alert " + verb)
	file := f.String("config", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return fmt.Errorf("alert %s: name one", verb)
	}
	cfg, err := config.Load(config.Overrides{File: *file}, e.getenv, os.ReadFile)
	if err != nil {
		return err
	}
	if verb == "test" {
		return e.testChannel(ctx, cfg, f.Arg(0))
	}
	return e.explain(ctx, cfg, f.Arg(0))
}

// testChannel sends a message that says that it is a test.
func (e env) testChannel(ctx context.Context, cfg *config.Config, name string) error {
	at := slices.IndexFunc(cfg.Channels, func(c channel.Channel) bool { return c.Name == name })
	if at < 0 {
		return fmt.Errorf("alert test: no channel %q in the configuration", name)
	}
	c := cfg.Channels[at]
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	began := time.Now()
	if err := c.Send(ctx, channel.NewVia(cfg.Mail), channel.Test(id, cfg.Title, cfg.BaseURL, began)); err != nil {
		return fmt.Errorf("alert test: %s has not taken it: %w", name, err)
	}
	_, err := fmt.Fprintf(e.stdout, "ok: %s (%s) has taken message %s in %d ms\n", name, c.Kind.Name, id, time.Since(began).Milliseconds())
	return err
}

const (
	explained  = 20  // Messages that are shown.
	lookedInto = 500 // The newest, in which they are looked for.
)

// explain tells which rules are about a service, how it is, and what was told when, or why not.
func (e env) explain(ctx context.Context, cfg *config.Config, id string) error {
	at := slices.IndexFunc(cfg.Checks, func(c check.Check) bool { return c.ID == id || strings.EqualFold(c.Name, id) })
	if at < 0 {
		return fmt.Errorf("alert explain: no service %q in the configuration", id)
	}
	svc := cfg.Checks[at]
	fmt.Fprintf(e.stdout, "%s (%s)\n", svc.Name, svc.ID)
	rules := 0
	for i, r := range cfg.Alerts {
		if !slices.Contains(r.Services, svc.ID) {
			continue
		}
		rules++
		fmt.Fprintf(e.stdout, "rule %d    %s after %d, over after %d, gathered for %v, to %s", i+1, strings.Join(r.On, ", "), r.After, r.Recover, r.Gather, strings.Join(r.To, ", "))
		if r.Remind > 0 {
			fmt.Fprintf(e.stdout, ", again every %s", status.FormatDuration(r.Remind))
		}
		for _, s := range r.Then {
			fmt.Fprintf(e.stdout, ", after %s to %s", status.FormatDuration(s.After), strings.Join(s.To, ", "))
		}
		fmt.Fprintln(e.stdout)
	}
	if rules == 0 {
		fmt.Fprintln(e.stdout, "no rule is about it: nobody is told")
	}
	fmt.Fprintf(e.stdout, "measured  %s\n", e.measured(ctx, cfg, svc.ID))
	return e.toldOf(ctx, cfg, svc.ID)
}

// toldOf shows what stands in the control store of one service.
func (e env) toldOf(ctx context.Context, cfg *config.Config, id string) error {
	if !control.There(string(cfg.Control)) {
		_, err := fmt.Fprintln(e.stdout, "told      nothing yet: there is no control store")
		return err
	}
	store, err := control.Open(ctx, string(cfg.Control))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // Only read.
	open, err := store.Alerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range open {
		if a.Service != id {
			continue
		}
		fmt.Fprintf(e.stdout, "%-9s %s: %s since %s, decided %s", a.Channel, a.Kind, phaseText(a), instantText(a.Since), instantText(a.Decided))
		if !a.Told.IsZero() {
			fmt.Fprintf(e.stdout, ", told %s", instantText(a.Told))
		}
		fmt.Fprintln(e.stdout)
	}
	all, err := store.Deliveries(ctx, lookedInto)
	if err != nil {
		return err
	}
	shown := 0
	for _, d := range all {
		var m channel.Message
		if json.Unmarshal([]byte(d.Body), &m) != nil {
			continue
		}
		for _, l := range m.Lines {
			if l.Service != id || shown == explained {
				continue
			}
			shown++
			fmt.Fprintf(e.stdout, "%s  %-9s %s %s: %s after %d attempts", instantText(d.Created), d.Channel, l.Kind, l.State, d.State, d.Attempts)
			if d.Error != "" {
				fmt.Fprintf(e.stdout, " (%s)", visible(d.Error))
			}
			fmt.Fprintln(e.stdout)
		}
	}
	if shown == 0 {
		fmt.Fprintln(e.stdout, "told      nothing of it yet")
	}
	return nil
}

func phaseText(a control.Alert) string {
	switch {
	case a.Unstable:
		return "unstable, told once until it is calm,"
	case a.Phase == "pending":
		return "to be told at " + instantText(a.Due) + ","
	case a.Phase == "ending":
		return "over, to be told at " + instantText(a.Due) + ","
	default:
		return "goes on"
	}
}

func instantText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

const lastSlots = 20

// measured asks the running server for the last measurements of a service.
func (e env) measured(ctx context.Context, cfg *config.Config, id string) string {
	const unknown = "not known: no server answers at "
	base, err := local(cfg, "")
	if err != nil {
		return unknown + cfg.Listen
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/signals?limit="+strconv.Itoa(lastSlots)+"&service="+url.QueryEscape(id), nil)
	if err != nil {
		return unknown + base
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return unknown + base
	}
	defer res.Body.Close() //nolint:errcheck // Only read.
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	var groups []struct {
		Records []struct {
			Outcome string `json:"outcome"`
		} `json:"records"`
	}
	if err != nil || json.Unmarshal(body, &groups) != nil {
		return unknown + base
	}
	var words []string
	for _, g := range groups {
		for _, r := range g.Records {
			words = append(words, r.Outcome)
		}
	}
	if len(words) == 0 {
		return "nothing yet"
	}
	return strings.Join(words, " ") + " (the last is the newest)"
}
