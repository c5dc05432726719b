package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// incident writes about incidents on a running server, for scripts.
func (e env) incident(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("incident: say what to do: open, update, resolve, list or show; `statuspage help` lists them")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "open":
		return e.incidentOpen(ctx, rest)
	case "update", "resolve":
		return e.incidentUpdate(ctx, verb, rest)
	case "list":
		return e.incidentList(ctx, rest)
	case "show":
		return e.incidentShow(ctx, rest)
	default:
		return fmt.Errorf("incident: %q is none of open, update, resolve, list and show", verb)
	}
}

// statesOf reads --service api=partial_outage.
func statesOf(services []string) (map[string]string, error) {
	states := map[string]string{}
	for _, text := range services {
		id, state, given := strings.Cut(text, "=")
		if !given || id == "" {
			return nil, fmt.Errorf("--service %s: write its state too, such as api=partial_outage", text)
		}
		states[id] = state
	}
	return states, nil
}

func (e env) incidentOpen(ctx context.Context, args []string) error {
	f := e.flags("incident open")
	to, title, text, phase := e.talking(f), f.String("title", "", ""), f.String("text", "", ""), f.String("status", "", "")
	draft, notice := f.Bool("draft", false, ""), f.Bool("notice", false, "")
	var services many
	f.Var(&services, "service", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	states, err := statesOf(services)
	switch {
	case err != nil:
		return fmt.Errorf("incident open: %w", err)
	case f.NArg() > 0 || *title == "":
		return errors.New("incident open: needs --title, and nothing beside flags")
	}
	s, err := e.server(ctx, to)
	if err != nil {
		return fmt.Errorf("incident open: %w", err)
	}
	fields := map[string]any{"name": *title, "body": *text, "components": states, "draft": *draft}
	if *phase != "" {
		fields["status"] = *phase
	}
	if *notice {
		fields["kind"] = "notice"
	}
	i, err := s.incident(ctx, "", fields)
	if err != nil {
		return fmt.Errorf("incident open: %w", err)
	}
	_, err = fmt.Fprintln(e.stdout, plain(i.ID))
	return err
}

func (e env) incidentUpdate(ctx context.Context, verb string, args []string) error {
	f := e.flags("incident " + verb)
	to, text := e.talking(f), f.String("text", "", "")
	phase, publish := new(string), new(bool)
	var services many
	if *phase = "resolved"; verb == "update" {
		phase, publish = f.String("status", "", ""), f.Bool("publish", false, "")
		f.Var(&services, "service", "")
	}
	id, err := e.withID(f, args)
	if err != nil {
		return err
	}
	states, err := statesOf(services)
	if err != nil {
		return fmt.Errorf("incident %s: %w", verb, err)
	}
	fields := map[string]any{}
	for name, value := range map[string]string{"body": *text, "status": *phase} {
		if value != "" {
			fields[name] = value
		}
	}
	if len(states) > 0 {
		fields["components"] = states
	}
	if *publish {
		fields["draft"] = false
	}
	if len(fields) == 0 {
		return fmt.Errorf("incident %s: needs --text, --status or --service", verb)
	}
	s, err := e.server(ctx, to)
	if err == nil {
		_, err = s.incident(ctx, id, fields)
	}
	if err != nil {
		return fmt.Errorf("incident %s: %w", verb, err)
	}
	return nil
}

func (e env) incidentList(ctx context.Context, args []string) error {
	f := e.flags("incident list")
	to, all, drafts := e.talking(f), f.Bool("all", false, ""), f.Bool("drafts", false, "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	s, err := e.server(ctx, to)
	if err != nil {
		return fmt.Errorf("incident list: %w", err)
	}
	path := s.incidents("unresolved")
	switch {
	case *drafts:
		path = s.incidents("") + "?status=draft"
	case *all:
		path = s.incidents("")
	}
	var found []told
	if err := s.call(ctx, http.MethodGet, path, nil, &found); err != nil {
		return fmt.Errorf("incident list: %w", err)
	}
	return e.list(found)
}

func (e env) incidentShow(ctx context.Context, args []string) error {
	f := e.flags("incident show")
	to := e.talking(f)
	id, err := e.withID(f, args)
	if err != nil {
		return err
	}
	s, err := e.server(ctx, to)
	if err != nil {
		return fmt.Errorf("incident show: %w", err)
	}
	var i told
	if err := s.call(ctx, http.MethodGet, s.incidents(id), nil, &i); err != nil {
		return fmt.Errorf("incident show: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s, impact %s, since %s\n%s\n", plain(i.Name), plain(i.Status), plain(i.Impact), plain(i.StartedAt), plain(i.Shortlink))
	for _, c := range i.Components {
		fmt.Fprintf(&b, "%s: %s\n", plain(c.ID), plain(c.Status))
	}
	for _, u := range i.Updates {
		fmt.Fprintf(&b, "\n%s  %s\n", plain(u.DisplayAt), plain(u.Status))
		for line := range strings.Lines(u.Body) {
			b.WriteString(plain(strings.TrimRight(line, "\r\n")) + "\n")
		}
	}
	_, err = fmt.Fprint(e.stdout, b.String())
	return err
}
