package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"statuspage/internal/agent"
	"statuspage/internal/status"
	"strings"
	"time"
)

const (
	envToken    = "STATUSPAGE_TOKEN"
	defaultTo   = "http://127.0.0.1:8000"
	callTimeout = 15 * time.Second
	maxAnswer   = 8 << 20
)

// server is a running server that words are written to, by Statuspage's API.
type server struct {
	url, token, page string
	http             *http.Client
}

// told is an incident or a maintenance as the server tells it.
type told struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Kind           string `json:"kind"`
	Status         string `json:"status"`
	Impact         string `json:"impact"`
	StartedAt      string `json:"started_at"`
	Shortlink      string `json:"shortlink"`
	Draft          bool   `json:"draft"`
	ScheduledFor   string `json:"scheduled_for"`
	ScheduledUntil string `json:"scheduled_until"`
	Updates        []struct {
		Status    string `json:"status"`
		Body      string `json:"body"`
		DisplayAt string `json:"display_at"`
	} `json:"incident_updates"`
	Components []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"components"`
}

// many is a flag that may be given several times.
type many []string

func (m *many) String() string { return strings.Join(*m, ",") }

// Set implements flag.Value.
func (m *many) Set(text string) error {
	*m = append(*m, text)
	return nil
}

// talking are the flags that all commands have which speak to a server.
type talking struct {
	to       *string
	insecure *bool
}

func (e env) talking(f *flag.FlagSet) talking {
	return talking{f.String("to", defaultTo, ""), f.Bool("insecure", false, "")}
}

// server is the one that the flags name.
func (e env) server(ctx context.Context, t talking) (*server, error) {
	address, open, err := agent.ParseServer(*t.to)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	if open && !*t.insecure {
		return nil, errors.New("--to: over http anybody on the way can read the token: use https, or add --insecure")
	}
	token := e.getenv(envToken)
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("no token: set " + envToken + " to one with the scopes incidents:read and incidents:write, which `tokens:` of the configuration names")
	}
	s := &server{url: strings.TrimSuffix(address.String(), "/"), token: token, http: &http.Client{
		Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the server sends elsewhere") }, // The token would go along.
	}}
	var pages []struct {
		ID string `json:"id"`
	}
	if err := s.call(ctx, http.MethodGet, "/v1/pages", nil, &pages); err != nil {
		return nil, err
	}
	if len(pages) == 0 {
		return nil, errors.New("the server has no page")
	}
	s.page = pages[0].ID
	return s, nil
}

// call asks the server, and reads its answer. What it refuses is an error in its words.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body) //nolint:gosec // Whoever calls us names the server.
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req) //nolint:gosec // As above.
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // It was read.
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		var said struct {
			Error  string `json:"error"`
			Detail string `json:"detail"`
		}
		_ = json.Unmarshal(data, &said) // A proxy may answer in any form.
		if said.Error == "" {
			said.Error = said.Detail
		}
		return fmt.Errorf("the server answers %d: %s", res.StatusCode, plain(said.Error))
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s is no answer of a status page: %w", s.url+path, err)
	}
	return nil
}

// incident writes to one, or opens one where id is empty.
func (s *server) incident(ctx context.Context, id string, fields map[string]any) (i told, err error) {
	method, path := http.MethodPost, s.incidents("")
	if id != "" {
		method, path = http.MethodPatch, s.incidents(id)
	}
	err = s.call(ctx, method, path, map[string]any{"incident": fields}, &i)
	return i, err
}

func (s *server) incidents(rest string) string {
	path := "/v1/pages/" + s.page + "/incidents"
	if rest != "" {
		path += "/" + rest
	}
	return path
}

// plain is a text of others for a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if status.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// withID parses flags around the id of what a command is about.
func (e env) withID(f *flag.FlagSet, args []string) (id string, err error) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		id, args = args[0], args[1:]
	}
	if err := e.parse(f, args); err != nil {
		return "", err
	}
	rest := f.Args()
	if id == "" && len(rest) > 0 {
		id, rest = rest[0], rest[1:]
	}
	if id == "" || len(rest) > 0 || strings.ContainsAny(id, "/?#% ") {
		return "", fmt.Errorf("%s: name one by its id; `statuspage %s list` has it first on each line", f.Name(), strings.Fields(f.Name())[0])
	}
	return id, nil
}

// list writes one line each, the id first.
func (e env) list(all []told) error {
	for _, i := range all {
		when := i.StartedAt
		if i.ScheduledFor != "" {
			when = i.ScheduledFor + "/" + i.ScheduledUntil
		}
		state := i.Status
		if i.Draft {
			state = "draft"
		}
		if _, err := fmt.Fprintf(e.stdout, "%s\t%s\t%s\t%s\t%s\n", plain(i.ID), plain(state), plain(i.Impact), plain(when), plain(i.Name)); err != nil {
			return err
		}
	}
	return nil
}
