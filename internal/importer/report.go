package importer

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"statuspage/internal/status"
	"strconv"
	"strings"
)

// Outcome is what has become of a service of the source.
type Outcome uint8

// The outcomes, best first.
const (
	Kept    Outcome = iota // It is measured as it was.
	Changed                // It is measured, and something isn't as it was.
	Lost                   // Something of it, or all, is no longer measured.
)

// String returns its word in a report.
func (o Outcome) String() string { return [...]string{"kept", "changed", "lost"}[o] }

// MarshalText implements encoding.TextMarshaler.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Report tells what has become of each service.
type Report struct {
	Entries []Entry  `json:"entries"`
	Ignored []string `json:"not_imported,omitempty"` // What the files have beside services, and we don't read.
	Secrets []string `json:"secrets,omitempty"`      // Names of the variables that hold them.
}

// Entry is one service.
type Entry struct {
	Name   string  `json:"name"` // As it stands in the result.
	Result Outcome `json:"result"`
	File   string  `json:"file"`
	Line   int     `json:"line,omitempty"` // A database has none.
	Reason string  `json:"reason,omitempty"`
}

// Lost tells whether something was.
func (r Report) Lost() bool { return r.count(Lost) > 0 }

func (r Report) count(o Outcome) (n int) {
	for _, e := range r.Entries {
		if e.Result == o {
			n++
		}
	}
	return n
}

// Text writes a line each service.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "%-7s  %s  %s", e.Result, visible(e.Name), place(e.File, e.Line))
		if e.Reason != "" {
			b.WriteString("  " + visible(e.Reason))
		}
		b.WriteByte('\n')
	}
	for _, line := range r.Ignored {
		b.WriteString("ignored  " + visible(line) + "\n")
	}
	fmt.Fprintf(&b, "%d services: %d kept, %d changed, %d lost\n", len(r.Entries), r.count(Kept), r.count(Changed), r.count(Lost))
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes one document.
func (r Report) JSON(w io.Writer) error {
	if r.Entries == nil {
		r.Entries = []Entry{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func place(file string, line int) string {
	if line == 0 {
		return visible(file)
	}
	return visible(file) + ":" + strconv.Itoa(line)
}

// visible has escapes for what would move a terminal's cursor, end a line or turn its text.
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

func hash(text string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // Never fails.
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// entry is the line of a service in the report.
func (s *service) entry() Entry {
	e := Entry{Name: plain(s.name), File: s.file, Line: s.line}
	var reasons []string
	for _, n := range s.notes {
		e.Result = max(e.Result, n.result)
		reasons = append(reasons, n.text)
	}
	e.Reason = strings.Join(reasons, "; ")
	return e
}
