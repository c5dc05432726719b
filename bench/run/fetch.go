package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const fetchTimeout = 30 * time.Second

var errNoStream = errors.New("the page names no stream")

// client unpacks nothing: what is compressed is to be measured as it came.
var client = &http.Client{Timeout: fetchTimeout, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}}

// answer is what a server answered, read to its end.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// fetch gets an address with headers, given as name and value in turns.
func fetch(ctx context.Context, url string, headers ...string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close() //nolint:errcheck // Read to its end.
	a.code, a.header = res.StatusCode, res.Header
	a.body, err = io.ReadAll(res.Body)
	return a, err
}

// get gets the body of an answer that must be 200.
func get(ctx context.Context, url string, headers ...string) ([]byte, error) {
	a, err := fetch(ctx, url, headers...)
	if err == nil && a.code != http.StatusOK {
		err = fmt.Errorf("%s answers %d", url, a.code)
	}
	return a.body, err
}

var streamAddress = regexp.MustCompile(`"(/events\?[^"]*)"`)

// stream is the address that the page would open its stream with now.
func (p *product) stream(ctx context.Context) (string, error) {
	page, err := get(ctx, p.URL+"/")
	if err != nil {
		return "", err
	}
	m := streamAddress.FindSubmatch(page)
	if m == nil {
		return "", errNoStream
	}
	return p.URL + html.UnescapeString(string(m[1])), nil
}

// metric sums the samples of a metric, whatever their labels; 0 where there are none.
func (p *product) metric(ctx context.Context, name string) (float64, error) {
	body, err := get(ctx, p.URL+"/metrics")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(body)) {
		rest, is := strings.CutPrefix(line, name)
		if !is || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(rest)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += v
	}
	return sum, nil
}

// record is a signal as the API tells it.
type record struct {
	Service    string    `json:"service"`
	Received   time.Time `json:"received"`
	DurationMs float64   `json:"duration_ms"`
	Outcome    string    `json:"outcome"`
}

// signals are the newest signals of every service.
func (p *product) signals(ctx context.Context, limit int) (map[string][]record, error) {
	body, err := get(ctx, p.URL+"/signals?limit="+strconv.Itoa(limit))
	if err != nil {
		return nil, err
	}
	var groups []struct{ Records []record }
	if err := json.Unmarshal(body, &groups); err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}
	all := map[string][]record{}
	for _, g := range groups {
		for _, r := range g.Records {
			all[r.Service] = append(all[r.Service], r)
		}
	}
	return all, nil
}

// visits are, by service, when the target was asked and when it answered, in microseconds.
func visits(ctx context.Context, target string, since time.Time) (map[string][][2]int64, error) {
	body, err := get(ctx, fmt.Sprintf("%s/seen?since=%d", target, since.UnixMicro()))
	if err != nil {
		return nil, err
	}
	var seen map[string][][2]int64
	err = json.Unmarshal(body, &seen)
	return seen, err
}
