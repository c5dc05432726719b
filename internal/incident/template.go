package incident

import (
	"fmt"
	"regexp"
	"slices"
	"statuspage/internal/status"
	"strings"
)

// Variables are what a template may name, as {{service}}. There is no engine: a template is text, not code.
var Variables = []string{"page", "service", "services", "region", "reason", "since", "zone"}

var braces = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// Template is what an incident or a maintenance begins with.
type Template struct {
	Name    string
	Kind    Kind
	Title   string
	Text    string // Markdown.
	Status  Status
	Impacts []Affected
	Notify  bool
}

// Check refuses a template with variables that don't exist.
func (t Template) Check() error {
	for _, text := range []string{t.Title, t.Text} {
		for _, m := range braces.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(Variables, strings.TrimSpace(m[1])) {
				return fmt.Errorf("template %q: %s is none of {{%s}}: %w", t.Name, m[0], strings.Join(Variables, "}} {{"), status.ErrInvalid)
			}
		}
		if rest := braces.ReplaceAllString(text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
			return fmt.Errorf("template %q: braces without a variable: %w", t.Name, status.ErrInvalid)
		}
	}
	if !slices.Contains(t.Kind.Statuses(), t.Status) {
		return fmt.Errorf("template %q: %s has no status %q: %w", t.Name, t.Kind, t.Status, status.ErrInvalid)
	}
	return nil
}

// Fill puts values in the places of variables. Values are words of targets and settings: in the text, which is Markdown, they
// stay words.
func (t Template) Fill(values map[string]string) (title, text string) {
	fill := func(in string, write func(string) string) string {
		return braces.ReplaceAllStringFunc(in, func(found string) string {
			return write(values[strings.TrimSpace(strings.Trim(found, "{}"))])
		})
	}
	return fill(t.Title, oneLine), fill(t.Text, func(v string) string { return escaped(oneLine(v)) })
}

func oneLine(value string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if status.IsControl(r) {
			return ' '
		}
		return r
	}, value))
}

// escaped writes a value so that Markdown reads it as it is.
func escaped(value string) string {
	var b strings.Builder
	for _, r := range value {
		if strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&:@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
