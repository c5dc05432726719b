package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"statuspage/internal/status"
	"time"
)

// ErrUnknownKind is of a check that only a later version of this program can measure.
var ErrUnknownKind = errors.New("unknown kind of check")

// wire is a check as agents are told it, with the members of its kind's struct behind these. Versions before and after this
// one read it: what a member means never changes, and names are never used again.
type wire struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	URL           string   `json:"url"`
	HideURL       bool     `json:"hide_url,omitempty"`
	Kind          string   `json:"kind"`
	Target        string   `json:"target"`
	Interval      string   `json:"interval"`
	Timeout       string   `json:"timeout"`
	DegradedAfter string   `json:"degraded_after,omitempty"`
	Retries       int      `json:"retries,omitempty"`
	RetryAfter    Duration `json:"retry_after,omitzero"`

	Expect Conditions `json:"conditions,omitzero"` // What "expect" means to checks over HTTP was there before.
	Unless Conditions `json:"degraded_unless,omitzero"`
}

// Encode writes a check with all that a probe needs, secrets included. Regions are left out: whoever measures is in one.
func Encode(c Check) ([]byte, error) {
	w := wire{
		ID: c.ID, Name: c.Name, URL: c.URL, HideURL: c.HideURL, Kind: c.Kind().Name, Target: c.Target,
		Interval: c.Interval.String(), Timeout: c.Timeout.String(), Retries: c.Retries, RetryAfter: Duration(c.RetryAfter), Expect: c.Expect, Unless: c.Unless,
	}
	if c.DegradedAfter > 0 {
		w.DegradedAfter = c.DegradedAfter.String()
	}
	all, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	own, err := json.Marshal(c.How)
	if err != nil {
		return nil, err
	}
	if string(own) == "{}" {
		return all, nil
	}
	return append(append(all[:len(all)-1], ','), own[1:]...), nil
}

// Decode reads what Encode wrote, and trusts none of it. A check of a kind that nobody here knows comes with its id and
// ErrUnknownKind.
func Decode(body []byte) (c Check, err error) {
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		return c, err
	}
	c.Service = status.Service{ID: w.ID, Name: w.Name, URL: w.URL, HideURL: w.HideURL}
	c.Target, c.Expect, c.Unless = w.Target, w.Expect, w.Unless
	c.Retries, c.RetryAfter = w.Retries, time.Duration(w.RetryAfter)
	k := Named(w.Kind)
	if k == nil {
		return c, fmt.Errorf("%w %q", ErrUnknownKind, w.Kind)
	}
	c.How = k.blank()
	if err := json.Unmarshal(body, c.How); err != nil {
		return c, err
	}
	for _, d := range []struct {
		dst  *time.Duration
		text string
	}{{&c.Interval, w.Interval}, {&c.Timeout, w.Timeout}, {&c.DegradedAfter, w.DegradedAfter}} {
		if d.text == "" && d.dst == &c.DegradedAfter {
			continue
		}
		if *d.dst, err = time.ParseDuration(d.text); err != nil {
			return c, err
		}
	}
	u, err := url.Parse(w.Target)
	switch {
	case err != nil: // Its text would show the password.
		return c, fmt.Errorf("the target is no URL: %w", status.ErrInvalid)
	case k.scheme(u.Scheme) == nil || u.Hostname() == "":
		return c, fmt.Errorf("the target is no address that %s checks measure: %w", k.Name, status.ErrInvalid)
	}
	return c, c.Valid()
}
