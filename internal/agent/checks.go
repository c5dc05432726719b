package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"statuspage/internal/status"
	"time"
)

// checks is the document that an agent measures by.
type checks struct {
	Region string  `json:"region"`
	Checks []check `json:"checks"`
}

// check is one with all that a probe needs. Headers and target may hold secrets.
type check struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	URL             string            `json:"url"`
	HideURL         bool              `json:"hide_url,omitempty"`
	Kind            string            `json:"kind"`
	Target          string            `json:"target"`
	Interval        string            `json:"interval"`
	Timeout         string            `json:"timeout"`
	DegradedAfter   string            `json:"degraded_after,omitempty"`
	Method          string            `json:"method"`
	Headers         map[string]string `json:"headers,omitempty"`
	Expect          []string          `json:"expect,omitempty"`
	FollowRedirects bool              `json:"follow_redirects"`
	KeepAlive       bool              `json:"keep_alive"`
}

// EncodeChecks writes those of the checks that are measured in a region.
func EncodeChecks(region string, all []status.Check) ([]byte, error) {
	doc := checks{Region: region, Checks: []check{}}
	for _, c := range all {
		if !slices.Contains(c.Regions, region) {
			continue
		}
		w := check{
			ID: c.ID, Name: c.Name, URL: c.URL, HideURL: c.HideURL, Kind: c.Kind, Target: c.Target,
			Interval: c.Interval.String(), Timeout: c.Timeout.String(), Method: c.Method, Headers: c.Headers,
			FollowRedirects: c.FollowRedirects, KeepAlive: c.KeepAlive,
		}
		if c.DegradedAfter > 0 {
			w.DegradedAfter = c.DegradedAfter.String()
		}
		for _, r := range c.ExpectStatus {
			w.Expect = append(w.Expect, r.String())
		}
		doc.Checks = append(doc.Checks, w)
	}
	return json.Marshal(doc)
}

// DecodeChecks reads what EncodeChecks wrote, and the region that the server knows the agent
// by. The checks name no region: the server adds it to what is handed in.
func DecodeChecks(body []byte) (region string, all []status.Check, err error) {
	var doc checks
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", nil, fmt.Errorf("the checks can't be read: %w", err)
	}
	if doc.Region == "" || len(doc.Checks) > maxChecks {
		return "", nil, fmt.Errorf("checks of region %q, %d of them: %w", doc.Region, len(doc.Checks), status.ErrInvalid)
	}
	all = make([]status.Check, len(doc.Checks))
	for i, w := range doc.Checks {
		if all[i], err = w.check(); err != nil {
			return "", nil, fmt.Errorf("check %q: %w", w.ID, err)
		}
	}
	return doc.Region, all, nil
}

func (w check) check() (c status.Check, err error) {
	c = status.Check{
		Service: status.Service{ID: w.ID, Name: w.Name, URL: w.URL, HideURL: w.HideURL},
		Kind:    w.Kind, Target: w.Target, Method: w.Method, Headers: w.Headers,
		FollowRedirects: w.FollowRedirects, KeepAlive: w.KeepAlive,
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
	for _, text := range w.Expect {
		r, err := status.ParseStatusRange(text)
		if err != nil {
			return c, err
		}
		c.ExpectStatus = append(c.ExpectStatus, r)
	}
	u, err := url.Parse(w.Target)
	switch {
	case err != nil: // Its text would show the password.
		return c, fmt.Errorf("the target is no URL: %w", status.ErrInvalid)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return c, fmt.Errorf("the target is neither http nor https: %w", status.ErrInvalid)
	case w.Method != http.MethodHead && w.Method != http.MethodGet:
		return c, fmt.Errorf("method %q: %w", w.Method, status.ErrInvalid)
	}
	return c, nil
}
