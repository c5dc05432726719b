package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const preface = `# Benchmarks

Made by ` + "`make bench`" + `, which measures everything again, or by ` + "`go run ./bench/run -only http,viewers`" + `, which measures
these sections and leaves the others as they were. Each figure is the median of the runs, with the least and the
greatest beside it. Load generators, targets, ceilings and the product share one machine and speak over loopback only, so read
ratios first: they were taken in one run, in turns.
`

// Write writes the document.
func Write(w io.Writer, sections []*Section) error {
	var b strings.Builder
	b.WriteString(preface)
	summary(&b, sections)
	for _, s := range sections {
		s.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// summary lists what was to be reached, in the order of the sections.
func summary(b *strings.Builder, sections []*Section) {
	b.WriteString("\n## Goals\n\n| section | what | goal | median | min–max | reached |\n|---|---|---|---|---|---|\n")
	for _, s := range sections {
		for _, f := range s.Figures {
			reached, known := f.Reached()
			if !known {
				continue
			}
			fmt.Fprintf(b, "| [%s](#%s) | %s: %s | %s %s | %s | %s | %s |\n", s.Name, anchor(s.Title), f.Group, f.Name, f.Goal, f.Unit,
				number(f.Median()), f.spread(), map[bool]string{true: "yes", false: "**no**"}[reached])
		}
	}
}

func (s *Section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", s.Title, s.About)
	if s.Quick {
		b.WriteString("\n**Measured with little load and time: this only shows that it works.**\n")
	}
	group := ""
	for _, f := range s.Figures {
		if f.Group != group || f == s.Figures[0] {
			group = f.Group
			fmt.Fprintf(b, "\n| %s | median | min–max | unit | goal |\n|---|---|---|---|---|\n", group)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", f.Name, number(f.Median()), f.spread(), f.Unit, f.Goal)
	}
	for i, n := range s.Notes {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "- %s\n", n)
	}
	m := s.Machine
	fmt.Fprintf(b, "\n%d runs on %s in %v; %d cores of %s, %s MB, Linux %s, load before %s; %s.\n", s.Runs, s.When.UTC().Format(time.DateOnly),
		s.Took.Round(time.Second), m.Cores, m.CPU, thousands(m.MemoryMB), m.Kernel, m.Load, m.versions())
}

func (m Machine) versions() string {
	var all []string
	for name, version := range m.Versions {
		all = append(all, name+" "+version)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (f *Figure) spread() string {
	if len(f.Values) == 0 {
		return "–"
	}
	least, greatest := number(slices.Min(f.Values)), number(slices.Max(f.Values))
	if least == greatest {
		return least
	}
	return least + " – " + greatest
}

// anchor is the name that a heading gets where Markdown is shown.
func anchor(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}
