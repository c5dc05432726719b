package metrics

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// contentType is the media type of the text exposition format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// kind is what a TYPE line says.
type kind string

const (
	counter kind = "counter"
	gauge   kind = "gauge"
	summary kind = "summary"
)

// family is all series of one name.
type family struct {
	name, help string
	kind       kind
	samples    func(*encoder, *state) // Writes them in the order of their labels.
}

// legalName is what a metric may be called without quotes, which few readers know.
var legalName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

// encoder writes Prometheus's text exposition format, version 0.0.4:
// https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md#text-based-format.
// Where that leaves a choice it does as Prometheus's own library does, and tests hold it to that byte by byte.
type encoder struct {
	w      *bufio.Writer // Remembers the first error until it is flushed.
	family family
	begun  bool
}

func newEncoder(w io.Writer) *encoder { return &encoder{w: bufio.NewWriterSize(w, 32<<10)} }

// write writes a family; nothing of one without samples.
func (e *encoder) write(f family, s *state) {
	e.family, e.begun = f, false
	f.samples(e, s)
}

// sample writes one of the family, after its name what follows that: a suffix or labels.
func (e *encoder) sample(value float64, after ...string) {
	if !e.begun {
		e.begun = true
		e.strings("# HELP ", e.family.name, " ", helpEscaper.Replace(text(e.family.help)), "\n# TYPE ", e.family.name, " ", string(e.family.kind), "\n")
	}
	e.strings(e.family.name)
	e.strings(after...)
	e.strings(" ")
	_, _ = e.w.Write(appendFloat(e.w.AvailableBuffer(), value))
	e.strings("\n")
}

func (e *encoder) strings(all ...string) {
	for _, s := range all {
		_, _ = e.w.WriteString(s)
	}
}

// appendFloat appends a number as the format wants it, which is Go's way: NaN, +Inf and -Inf for what is none.
func appendFloat(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0') // Without the sign that a zero may have.
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// pair is a label as it stands between braces. The value must be text.
func pair(name, value string) string { return name + `="` + labelEscaper.Replace(value) + `"` }

// text is what the format takes for one: what is not UTF-8 is replaced.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
