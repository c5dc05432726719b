// Package importer turns configurations of other tools into ours: a file a source, and one table of them.
//
// What a source meant counts, not what it happens to compute, and whatever is not carried over as it was is said. What
// comes out is read by package config before it is handed out, service by service, so that it is one of ours by construction.
package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"statuspage/internal/status"
	"strings"
)

// Options say how to import.
type Options struct {
	Slow   bool                // Answers that take too long are degraded, not down as in the source.
	Getenv func(string) string // Values of the variables that the source names, to check the result with. They are not written.
}

// Result is one that of several files has become.
type Result struct {
	YAML    []byte
	Secrets []byte // Lines of NAME=value, nil for none. Nobody else may see them.
	Report  Report
}

// source is a tool whose configurations are read.
type source struct {
	name  string
	about string
	read  func(i *importing, path string) error
}

// sources is every tool, in the order in which the documentation has them.
var sources = []source{
	{"gatus", "config.yaml of Gatus, also in a ConfigMap or the values of its chart", readGatus},
	{"kuma", "a backup (JSON) or kuma.db of Uptime Kuma 1.x and 2.x", readKuma},
	{"upptime", ".upptimerc.yml of Upptime", readUpptime},
	{"blackbox", blackboxAbout, readBlackbox},
	{"prometheus", blackboxAbout, readBlackbox},
}

const blackboxAbout = "blackbox.yml of blackbox_exporter and prometheus.yml of Prometheus, in any order"

// Sources names the tools.
func Sources() (names []string) {
	for _, s := range sources {
		names = append(names, s.name)
	}
	return names
}

// Import reads files of a tool. Its errors name the file and never repeat what it holds.
func Import(tool string, paths []string, o Options) (*Result, error) {
	at := slices.IndexFunc(sources, func(s source) bool { return s.name == tool })
	if at < 0 {
		return nil, fmt.Errorf("import: no such tool: say one of %s", strings.Join(Sources(), ", "))
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("import %s: name its file: %s", tool, sources[at].about)
	}
	i := &importing{o: o, tool: tool, secrets: newVault(), ids: map[string]bool{reservedID: true}}
	for _, path := range paths {
		if err := sources[at].read(i, path); err != nil {
			return nil, err
		}
	}
	if i.finish != nil {
		if err := i.finish(); err != nil {
			return nil, err
		}
	}
	return i.result(paths)
}

const (
	reservedID  = "page"
	maxIDLength = 63
	maxName     = 100
	maxServices = 20_000
	maxFile     = 64 << 20
)

// importing is one run: what all files of it have come to so far.
type importing struct {
	o        Options
	tool     string
	title    string
	defaults mapping
	because  string // What stands above the defaults.
	services []*service
	ids      map[string]bool
	secrets  *vault
	ignored  []string // What stands in the files beside services.
	blackbox *blackbox
	finish   func() error // For tools whose files belong together: after the last one.
}

// service is what becomes of one entry of a source. Its texts are as our configuration reads them: a dollar is $$, and ${NAME} a variable.
type service struct {
	name, group string
	id          string
	settings    mapping
	file        string
	line        int    // 0 for a database.
	off         string // Why it is a comment and not measured; empty where it is.
	notes       []note
}

type note struct {
	result Outcome
	text   string
}

// say notes what is not as it was. What is said twice counts once.
func (s *service) say(result Outcome, format string, args ...any) {
	n := note{result, fmt.Sprintf(format, args...)}
	if !slices.Contains(s.notes, n) {
		s.notes = append(s.notes, n)
	}
}

// changed notes what is measured, if not quite as it was.
func (s *service) changed(format string, args ...any) { s.say(Changed, format, args...) }

// lost notes what is no longer measured.
func (s *service) lost(format string, args ...any) { s.say(Lost, format, args...) }

// drop notes why nothing of the service is measured.
func (s *service) drop(format string, args ...any) {
	s.lost(format, args...)
	if s.off == "" {
		s.off = "not imported"
	}
}

// disable makes a comment of what its source doesn't measure either.
func (s *service) disable(word string) {
	s.changed("%s there: it is a comment here", word)
	s.off = word
}

func (s *service) set(value any, path ...string) { s.settings.set(value, path...) }

// add gives a service its name and its id, which is chosen as for ever: it is part of the key of every signal.
func (i *importing) add(s *service) {
	clean := cleanName(s.name)
	if clean == "" {
		clean = "Service"
	}
	if clean != strings.TrimSpace(s.name) {
		s.changed("the name is cut or cleaned: one line of at most %d characters", maxName)
	}
	s.name, s.group = clean, cleanName(s.group)
	id := s.id // That of the source, where it has one.
	if id == "" {
		id = idOf(s.group + " " + s.name)
	}
	unique := id
	for n := 2; i.ids[unique]; n++ {
		suffix := fmt.Sprintf("-%d", n)
		unique = id[:min(len(id), maxIDLength-len(suffix))] + suffix
	}
	i.ids[unique] = true
	s.id = unique
	i.services = append(i.services, s)
}

// cleanName is a name as our configuration takes it: without line breaks, not too long, its variables whole.
func cleanName(text string) string {
	text = strings.Map(func(r rune) rune {
		if status.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	runes := []rune(strings.TrimSpace(text))
	if len(runes) > maxName {
		runes = runes[:maxName]
		if open := strings.LastIndex(string(runes), "${"); open >= 0 && !strings.Contains(string(runes)[open:], "}") {
			runes = []rune(string(runes)[:open])
		}
		if text := string(runes); strings.HasSuffix(text, "$") && !strings.HasSuffix(text, "$$") {
			runes = runes[:len(runes)-1]
		}
	}
	return strings.TrimSpace(string(runes))
}

// idOf makes an id of a name, and one of its hash where it has no letter for that.
func idOf(name string) string {
	id := status.Slug(name)
	id = strings.Trim(id[:min(len(id), maxIDLength)], "-")
	if id == "" {
		return "service-" + hash(name)
	}
	return id
}

// readFile reads a file of a source.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = f.Close() }() // Only read.
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 && info.Mode()&os.ModeCharDevice == 0 {
		return nil, fmt.Errorf("%s: not a file", visible(path))
	}
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case len(body) > maxFile:
		return nil, fmt.Errorf("%s: larger than %d MiB", visible(path), maxFile>>20)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, fmt.Errorf("%s: an empty file", visible(path))
	}
	return body, nil
}

func unreadable(path string, err error) error {
	if at, ok := errors.AsType[*os.PathError](err); ok {
		err = at.Err // Without the path again.
	}
	return fmt.Errorf("%s: can't be read: %w", visible(path), err)
}
