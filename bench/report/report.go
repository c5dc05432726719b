// Package report keeps what was measured, a file a section, and writes it as a document:
// medians and spread of all runs, with the machine and the versions of each section.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Machine is where a section was measured, and with what.
type Machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	MemoryMB int64             `json:"memory_mb"`
	Kernel   string            `json:"kernel"`
	Load     string            `json:"load_before"` // Of the minute before: the machine may not be ours alone.
	Versions map[string]string `json:"versions"`
}

// Figure is one number, measured in each run.
type Figure struct {
	Group  string    `json:"group"`
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Goal   string    `json:"goal,omitempty"` // "≤ 9" or "≥ 0.9"; empty where the figure only informs.
}

// Section is one part of the table as it was last measured.
type Section struct {
	Name    string        `json:"name"`
	Title   string        `json:"title"`
	About   string        `json:"about"` // How the figures came about.
	When    time.Time     `json:"when"`
	Took    time.Duration `json:"took"`
	Runs    int           `json:"runs"`
	Quick   bool          `json:"quick,omitempty"` // With little load and time: shows only that it works.
	Machine Machine       `json:"machine"`
	Figures []*Figure     `json:"figures"`
	Notes   []string      `json:"notes,omitempty"`
}

// Add appends a value of one run to a figure, which the first value makes.
func (s *Section) Add(group, name, unit string, value float64, goal ...string) {
	i := slices.IndexFunc(s.Figures, func(f *Figure) bool { return f.Group == group && f.Name == name })
	if i < 0 {
		i = len(s.Figures)
		s.Figures = append(s.Figures, &Figure{Group: group, Name: name, Unit: unit})
		if len(goal) > 0 {
			s.Figures[i].Goal = goal[0]
		}
	}
	s.Figures[i].Values = append(s.Figures[i].Values, value)
}

// Note adds a sentence about what happened, once.
func (s *Section) Note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(s.Notes, n) {
		s.Notes = append(s.Notes, n)
	}
}

// Save writes the section to its file in dir.
func (s *Section) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("keep %s: %w", s.Name, err)
	}
	content, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("keep %s: %w", s.Name, err)
	}
	path := filepath.Join(dir, s.Name+".json")
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil { //nolint:gosec // Part of the repo.
		return fmt.Errorf("keep %s: %w", s.Name, err)
	}
	return nil
}

// Load reads the sections with these names that have been measured.
func Load(dir string, names []string) ([]*Section, error) {
	var all []*Section
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name+".json"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read what was measured: %w", err)
		}
		s := &Section{}
		if err := json.Unmarshal(content, s); err != nil {
			return nil, fmt.Errorf("read what was measured of %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}
