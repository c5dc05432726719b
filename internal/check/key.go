package check

import (
	"errors"
	"slices"
	"statuspage/internal/status"
	"strings"
	"time"
)

// Form is how the values of a setting are written.
type Form uint8

// The forms.
const (
	One      Form = iota // A single value.
	List                 // A list, in whose place a single value may stand.
	Map                  // A mapping of names that are not ours to values.
	Matcher              // A value, a list of values, or a mapping of operators to them.
	Matchers             // A mapping of names that are not ours to such ones.
	File                 // The name of a file beside the configuration, which is read.
)

// Key is one setting of a kind. Whoever reads it calls Begin first, on a check that Kind.New or Check.Clone has returned.
type Key struct {
	Name    string // Dotted where it stands in a mapping of its own: expect.status. Kinds that share a name mean the same by it.
	Default string // As it would be written; empty for none.
	About   string // A line for the documentation.
	Form    Form
	Short   string // Where it may stand instead, as long as nothing else of that mapping is said: expect.body for expect.body.contains.
	Element string // What a list has, for who has left it empty: status.
	Secret  bool   // Its values are shown to nobody.

	Begin func(c *Check)                                           // Before the first of several values. Lists replace what the defaults have, maps add to it.
	Set   func(c *Check, text string) error                        // Takes one value, or one more. Its errors say what to write, and never repeat the value.
	Names func(name string) error                                  // Refuses names of a Map.
	Put   func(c *Check, name, text string) error                  // Takes one value of a Map.
	Ops   []string                                                 // Of a Matcher, dotted where they stand in a mapping of their own; the first is that of a value alone.
	Clear func(c *Check, name string) error                        // Before the first value of a name of Matchers.
	Match func(c *Check, name, op, text string, quoted bool) error // Takes one value of an operator, and whether it stood in quotes.
	Load  func(c *Check, name string, body []byte) error           // Takes what a File holds.
	Show  func(c Check) any                                        // The value as it would be written, secrets and all: a string, a bool, a []string, a map[string]string, a []Match or a map[string][]Match; nil for none.
}

// Secrets names the settings whose values are shown to nobody.
func Secrets() (names []string) {
	for _, k := range kinds {
		for _, key := range k.Keys {
			if key.Secret {
				names = append(names, key.Name)
			}
		}
	}
	return names
}

// WhoHas names the kinds that have a setting of this name, or one below it.
func WhoHas(name string) string {
	var names []string
	for _, k := range kinds {
		if slices.ContainsFunc(k.Keys, func(key Key) bool { return key.Name == name || strings.HasPrefix(key.Name, name+".") }) {
			names = append(names, k.Name)
		}
	}
	return enumerate("and", names)
}

// parsed takes what parse makes of a value.
func parsed[T any](of func(c *Check) *T, parse func(string) (T, error)) func(*Check, string) error {
	return func(c *Check, text string) error {
		v, err := parse(text)
		if err == nil {
			*of(c) = v
		}
		return err
	}
}

func nothing(*Check) {}

// degradedAfter is a setting of all kinds whose answers take their time.
var degradedAfter = Key{
	Name: "degraded_after", About: "slower than this is available, but slow",
	Begin: nothing,
	Set:   parsed(func(c *Check) *time.Duration { return &c.DegradedAfter }, ParseMillis),
	Show: func(c Check) any {
		if c.DegradedAfter <= 0 {
			return nil
		}
		return status.FormatDuration(c.DegradedAfter)
	},
}

// ParseMillis reads a duration of whole milliseconds.
func ParseMillis(text string) (time.Duration, error) {
	d, err := status.ParseDuration(text)
	if err == nil && d%time.Millisecond != 0 {
		err = errors.New("must be whole milliseconds")
	}
	return d, err
}

// ParseBool reads true or false.
func ParseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("must be true or false")
}
