package check

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"statuspage/internal/status"
	"time"
)

// Conditions are what an answer must meet: all of those that are set. Each has a word of its own that whoever
// measures must know: see words.
type Conditions struct {
	Latency  Duration           `json:"latency,omitzero"`   // It took no longer.
	ValidFor Duration           `json:"valid_for,omitzero"` // The certificate is good for as long from now.
	Status   []StatusRange      `json:"status,omitempty"`   // Of HTTP is one of these.
	Body     []Match            `json:"body,omitempty"`
	Header   map[string][]Match `json:"header,omitempty"`
	JSON     map[string][]Match `json:"json,omitempty"`  // By paths: see Path.
	RCode    []string           `json:"rcode,omitempty"` // Of these is that of a name server.
	Records  Records            `json:"records,omitzero"`
	Loss     *int               `json:"loss,omitempty"` // Percent of echo requests that may stay without an answer. It is never changed in its place.
}

// Duration is one that is written as text.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("a duration: %w", status.ErrInvalid)
	}
	*d = Duration(v)
	return nil
}

// conditionWords are what each field of Conditions wants known: agents of a version before a word are not told of a check that has it.
var conditionWords = [...]struct {
	word string
	has  func(*Conditions) bool
}{
	{"latency", func(c *Conditions) bool { return c.Latency > 0 }},
	{"certificate", func(c *Conditions) bool { return c.ValidFor > 0 }},
	{"status", func(c *Conditions) bool { return len(c.Status) > 0 }},
	{"body", func(c *Conditions) bool { return len(c.Body) > 0 }},
	{"header", func(c *Conditions) bool { return len(c.Header) > 0 }},
	{"json", func(c *Conditions) bool { return len(c.JSON) > 0 }},
	{"rcode", func(c *Conditions) bool { return len(c.RCode) > 0 }},
	{"loss", func(c *Conditions) bool { return c.Loss != nil }},
	{"records", func(c *Conditions) bool { return !c.Records.IsZero() }},
}

// words names what is set.
func (c *Conditions) words() (words []string) {
	for _, w := range conditionWords {
		if w.has(c) {
			words = append(words, w.word)
		}
	}
	return words
}

// IsZero tells whether nothing is asked for.
func (c Conditions) IsZero() bool { return reflect.ValueOf(c).IsZero() }

// valid refuses what came over a wire as no conditions.
func (c *Conditions) valid() error {
	err := validMatches(c.Body, bodyOps)
	for _, all := range c.Header {
		err = errors.Join(err, validMatches(all, headerOps))
	}
	for path, all := range c.JSON {
		err = errors.Join(err, pathName(path), validMatches(all, jsonOps))
	}
	if len(c.Header) > maxMatchNames || len(c.JSON) > maxMatchNames || c.Loss != nil && (*c.Loss < 0 || *c.Loss > 99) {
		err = errors.Join(err, fmt.Errorf("conditions: %w", status.ErrInvalid))
	}
	return err
}

// clone returns conditions that may be changed.
func (c Conditions) clone() Conditions {
	c.RCode, c.Status = slices.Clone(c.RCode), slices.Clone(c.Status)
	c.Header, c.JSON = maps.Clone(c.Header), maps.Clone(c.JSON) // What they hold is replaced and never changed.
	c.Records.Any, c.Records.Exactly = slices.Clone(c.Records.Any), slices.Clone(c.Records.Exactly)
	return c
}

// block is one of the two mappings that conditions stand in.
type block struct {
	name string
	of   func(c *Check) *Conditions
	then string // What comes of an answer that does not meet them.
}

var (
	expect = block{"expect", func(c *Check) *Conditions { return &c.Expect }, "down"}
	unless = block{"degraded_unless", func(c *Check) *Conditions { return &c.Unless }, "degraded"}
)

// matchers makes the settings of conditions in both mappings.
func matchers(of ...func(block) []Key) (keys []Key) {
	for _, b := range []block{expect, unless} {
		for _, keysOf := range of {
			keys = append(keys, keysOf(b)...)
		}
	}
	return keys
}

// latency is a condition of all kinds whose answers take their time.
func latency(b block) []Key {
	return []Key{{
		Name: b.name + ".latency", About: "slower than this is " + b.then, Begin: nothing,
		Set: func(c *Check, text string) error {
			d, err := ParseMillis(text)
			if err == nil {
				b.of(c).Latency = Duration(d)
			}
			return err
		},
		Show: func(c Check) any { return shownDuration(b.of(&c).Latency) },
	}}
}

// certificate is a condition of all that is asked over TLS.
func certificate(b block) []Key {
	return []Key{{
		Name: b.name + ".certificate.valid_for", Begin: nothing,
		About: "a certificate that is good for less is " + b.then + "; `0s` for no such condition",
		Set: func(c *Check, text string) error {
			d, err := status.ParseDuration(text)
			if err == nil {
				b.of(c).ValidFor = Duration(d)
			}
			return err
		},
		Show: func(c Check) any {
			if _, always := c.How.(*TLS); always && b.name == unless.name {
				return status.FormatDuration(time.Duration(b.of(&c).ValidFor)) // It has one unless none is wanted.
			}
			return shownDuration(b.of(&c).ValidFor)
		},
	}}
}

// withDefault says which value a setting has that is not written.
func withDefault(keys []Key, name, value string) []Key {
	for i := range keys {
		if keys[i].Name == name {
			keys[i].Default = value
		}
	}
	return keys
}

func shownDuration(d Duration) any {
	if d == 0 {
		return nil
	}
	return status.FormatDuration(time.Duration(d))
}
