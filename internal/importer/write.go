package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// mapping is one of YAML, in order.
type mapping []pair

type pair struct {
	key   string
	value any // A string, raw, []any of those, or a mapping.
}

// raw is a value without quotes: a number, true or false, or a variable that is one.
type raw string

// set puts a value where the path leads.
func (m *mapping) set(value any, path ...string) {
	at := slices.IndexFunc(*m, func(p pair) bool { return p.key == path[0] })
	if at < 0 {
		at = len(*m)
		*m = append(*m, pair{path[0], nil})
	}
	if len(path) == 1 {
		(*m)[at].value = value
		return
	}
	sub, _ := (*m)[at].value.(mapping)
	sub.set(value, path[1:]...)
	(*m)[at].value = sub
}

// get returns the value where the path leads, nil for none.
func (m mapping) get(path ...string) any {
	at := slices.IndexFunc(m, func(p pair) bool { return p.key == path[0] })
	if at < 0 {
		return nil
	}
	if len(path) == 1 {
		return m[at].value
	}
	sub, _ := m[at].value.(mapping)
	return sub.get(path[1:]...)
}

// lines writes a mapping as YAML without anchors: what is short stands in one line.
func (m mapping) lines(b *strings.Builder, indent string) {
	for _, p := range m {
		switch v := p.value.(type) {
		case mapping:
			if flow := flowOf(v); len(flow)+len(p.key)+len(indent) <= 100 {
				b.WriteString(indent + quote(p.key) + ": " + flow + "\n")
				continue
			}
			b.WriteString(indent + quote(p.key) + ":\n")
			v.lines(b, indent+"  ")
		default:
			b.WriteString(indent + quote(p.key) + ": " + flowOf(v) + "\n")
		}
	}
}

func flowOf(value any) string {
	switch v := value.(type) {
	case raw:
		return string(v)
	case string:
		return quote(v)
	case []any:
		all := make([]string, len(v))
		for i, one := range v {
			all[i] = flowOf(one)
		}
		return "[" + strings.Join(all, ", ") + "]"
	case mapping:
		all := make([]string, len(v))
		for i, p := range v {
			all[i] = quote(p.key) + ": " + flowOf(p.value)
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return `""`
}

// plainText is what YAML takes for a text without quotes, wherever it stands.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*(?:[ :][A-Za-z0-9_./-]+)*$`)

// address is an address as most are.
var address = regexp.MustCompile(`^[a-z]+://[A-Za-z0-9_./:?=%-]*[A-Za-z0-9_/]$`)

var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// quote writes a text so that it is read as one.
func quote(text string) string {
	if (plainText.MatchString(text) || address.MatchString(text)) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(text, "\uFFFD")) // A string always encodes.
	quoted := strings.TrimSuffix(b.String(), "\n")
	if !strings.ContainsFunc(quoted, status.IsControl) {
		return quoted
	}
	var escaped strings.Builder
	for _, r := range quoted {
		if status.IsControl(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
			continue
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// element writes a service as an element of services.
func (s *service) element() string {
	all := mapping{{"name", s.name}, {"id", s.id}}
	if s.group != "" {
		all = append(all, pair{"group", s.group})
	}
	all = append(all, s.settings...)
	var b strings.Builder
	all.lines(&b, "    ")
	return "  - " + strings.TrimPrefix(b.String(), "    ")
}

// comment is what stands above a service: where it is from, and what isn't as it was.
func (s *service) comment() string {
	var b strings.Builder
	b.WriteString("  # " + place(s.file, s.line))
	if s.off != "" {
		b.WriteString(", " + s.off + ":")
	}
	b.WriteByte('\n')
	for _, n := range s.notes {
		b.WriteString("  # " + n.result.String() + ": " + visible(n.text) + "\n")
	}
	return b.String()
}

// result writes all services, those that our configuration refuses as comments.
func (i *importing) result(paths []string) (*Result, error) {
	if len(i.services) > maxServices {
		return nil, fmt.Errorf("%s: too many services: at most %d", visible(paths[0]), maxServices)
	}
	var b strings.Builder
	b.WriteString("# Imported from " + i.tool + ". All settings: README.md and docs/checks.md of statuspage; `statuspage config check` tells mistakes.\n")
	if i.title != "" {
		head := mapping{{"title", i.title}}
		if err := i.check(head, nil); err == nil {
			head.lines(&b, "")
		}
	}
	if len(i.defaults) > 0 {
		b.WriteString("# " + i.because + "\ndefaults:\n")
		i.defaults.lines(&b, "  ")
	}
	r := &Result{}
	live := 0
	var list strings.Builder
	for _, s := range i.services {
		if s.settings.get("url") != nil {
			if err := i.check(nil, s); err != nil {
				s.drop("%s", err)
			}
		}
		list.WriteString(s.comment())
		switch {
		case s.settings.get("url") == nil:
			list.WriteString("  # - name: " + quote(s.name) + "\n")
		case s.off != "":
			for line := range strings.Lines(s.element()) {
				list.WriteString("  #" + strings.TrimPrefix(line, " "))
			}
		default:
			live++
			list.WriteString(s.element())
		}
		r.Report.Entries = append(r.Report.Entries, s.entry())
	}
	b.WriteString("services:")
	if live == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n" + list.String())
	r.YAML = []byte(b.String())
	used := i.secrets.used(r.YAML)
	r.Secrets, r.Report.Secrets = i.secrets.lines(used), used
	r.Report.Ignored = i.ignored
	return r, nil
}

// check asks package config whether it takes a service, or a head.
func (i *importing) check(head mapping, s *service) error {
	var b strings.Builder
	head.lines(&b, "")
	if len(i.defaults) > 0 {
		b.WriteString("defaults:\n")
		i.defaults.lines(&b, "  ")
	}
	if s != nil {
		b.WriteString("services:\n" + s.element())
	}
	var err error
	for n := range guesses {
		if _, err = i.load([]byte(b.String()), i.secrets.guess(i.o.Getenv, n)); err == nil {
			return nil
		}
	}
	return errors.New(first(err))
}

const checked = "statuspage.yaml"

func (i *importing) load(body []byte, getenv func(string) string) (*config.Config, error) {
	return config.Load(config.Overrides{File: checked}, getenv, func(name string) ([]byte, error) {
		if name == checked {
			return body, nil
		}
		return nil, errors.New("not read")
	})
}

var (
	positions = regexp.MustCompile(`^statuspage\.yaml:[0-9]+:[0-9]+: `)
	element   = regexp.MustCompile(`^services\[[0-9]+\]\.?`)
)

// first is the first mistake that package config has found, without a place that is in no file yet.
func first(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(element.ReplaceAllString(positions.ReplaceAllString(line, ""), ""), ": ")
}

// timing writes interval and timeout as they can be kept.
func (s *service) timing(interval, timeout time.Duration) {
	kept := min(max(interval, status.MinInterval), status.Day).Round(time.Millisecond)
	if kept != interval {
		s.changed("the interval of %s becomes %s", status.FormatDuration(interval), status.FormatDuration(kept))
	}
	s.set(raw(status.FormatDuration(kept)), "interval")
	if timeout <= 0 {
		return
	}
	fits := timeout.Round(time.Millisecond)
	if fits >= kept {
		fits = (kept * 4 / 5).Round(time.Millisecond)
		s.changed("the timeout of %s becomes %s, which is below the interval", status.FormatDuration(timeout), status.FormatDuration(fits))
	}
	s.set(raw(status.FormatDuration(max(fits, time.Millisecond))), "timeout")
}

// number writes a count.
func number(n int) raw { return raw(strconv.Itoa(n)) }
