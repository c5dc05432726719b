package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"statuspage/internal/auth"
	"statuspage/internal/config"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"time"
)

// commandWait is how long a command waits for the control store.
const commandWait = 10 * time.Second

// admin lets people and programs in, beside a running server or before it.
func (e env) admin(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	switch verb {
	case "invite":
		return e.invite(ctx, args)
	case "token":
		return e.token(ctx, args)
	}
	return errors.New("admin: say `admin invite` or `admin token`")
}

// invite prints a link by which one person becomes an operator.
func (e env) invite(ctx context.Context, args []string) error {
	f := e.flags("admin invite")
	file, name := f.String("config", "", ""), f.String("role", string(grant.Admin), "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return errors.New("admin invite: more is said than flags; `statuspage help` lists them")
	}
	role, err := grant.ParseRole(*name)
	if err != nil {
		return fmt.Errorf("admin invite: --role: %w", err)
	}
	cfg, err := e.read(*file)
	if err != nil {
		return err
	}
	if cfg.Admin.Off {
		return errors.New("admin invite: the configuration says admin: false, so nobody can sign in; take that out first")
	}
	desk, err := auth.OpenDesk(ctx, string(cfg.Control), time.Now)
	if err != nil {
		return err
	}
	defer desk.Close() //nolint:errcheck // What was written is written.
	secret, err := desk.Invite(ctx, role)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stderr, "For one person, as %s, within a day; kept in %s:\n", role, desk.Where)
	_, err = fmt.Fprintln(e.stdout, areaOf(cfg)+"/admin/invite/"+secret)
	return err
}

// areaOf is the address of the page as operators reach it.
func areaOf(cfg *config.Config) string {
	listen := cfg.Listen
	switch {
	case cfg.Admin.Listen != "":
		listen = cfg.Admin.Listen
	case cfg.BaseURL != "":
		return cfg.BaseURL
	}
	host, port, _ := net.SplitHostPort(listen) // The configuration is checked.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// token prints a token for a program.
func (e env) token(ctx context.Context, args []string) error {
	f := e.flags("admin token")
	file, name := f.String("config", "", ""), f.String("name", "", "")
	wanted, end := f.String("scopes", "", ""), f.String("expires", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return errors.New("admin token: more is said than flags; `statuspage help` lists them")
	}
	if strings.TrimSpace(*name) == "" {
		return errors.New("admin token: name what it is for with --name deploy")
	}
	scopes, err := grant.ParseScopes(strings.FieldsFunc(*wanted, func(r rune) bool { return r == ',' || r == ' ' }))
	if err != nil {
		return fmt.Errorf("admin token: --scopes: %w", err)
	}
	now := time.Now()
	expires, err := expiry(*end, now)
	if err != nil {
		return fmt.Errorf("admin token: --expires: %w", err)
	}
	cfg, err := e.read(*file)
	if err != nil {
		return err
	}
	desk, err := auth.OpenDesk(ctx, string(cfg.Control), time.Now)
	if err != nil {
		return err
	}
	defer desk.Close() //nolint:errcheck // What was written is written.
	secret, err := desk.AddToken(ctx, *name, scopes, expires)
	if wrong, is := errors.AsType[*auth.FieldError](err); is {
		return fmt.Errorf("admin token: --%s: %s", wrong.Field, auth.Say(wrong))
	}
	if err != nil {
		return err
	}
	until := "for ever"
	if !expires.IsZero() {
		until = "until " + expires.UTC().Format(time.RFC3339)
	}
	_, _ = fmt.Fprintf(e.stderr, "For %s, %s; kept as a hash in %s, so it is not shown again:\n", grant.Join(scopes), until, desk.Where)
	_, err = fmt.Fprintln(e.stdout, secret)
	return err
}

// expiry takes how long something counts, or until when; nothing is for ever.
func expiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if long, err := status.ParseDuration(text); err == nil && long > 0 {
		return now.Add(long), nil
	}
	at, err := config.ParseExpiry(text)
	switch {
	case err != nil:
		return at, errors.New("write how long, such as 90d, or until when, such as 2027-01-31")
	case !at.After(now):
		return at, errors.New("has passed")
	}
	return at, nil
}
