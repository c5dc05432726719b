package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"statuspage/internal/status"
	"strings"

	"github.com/theory/jsonpath"
)

const (
	maxMatchText  = 1000 // Characters of a text or a pattern.
	maxMatchList  = 50   // Values of a matcher.
	maxMatchNames = 50   // Headers, or paths into JSON.
)

// Match is one thing that is wanted of a text or a value: an operator, and values of which one must do, or of lacks, lacks_match and
// not, each.
type Match struct {
	Op     string `json:"op"`
	Values []any  `json:"values"` // A string, a json.Number or a bool each.
}

// UnmarshalJSON implements json.Unmarshaler, and keeps numbers as they are written.
func (m *Match) UnmarshalJSON(text []byte) error {
	type plain Match
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode((*plain)(m))
}

// numbers compare a number: that of a value, the length of one, or the size of a body.
var numbers = []string{"above", "at_least", "below", "at_most"}

// below names operators within a mapping of their own: length.above.
func below(outer string, inner []string) (all []string) {
	for _, one := range inner {
		all = append(all, outer+"."+one)
	}
	return all
}

// The operators of each matcher; the first is that of a value which stands alone.
var (
	textOps   = []string{"contains", "lacks", "matches", "lacks_match", "equals"}
	bodyOps   = slices.Concat(textOps, below("size", numbers))
	headerOps = []string{"equals", "contains", "lacks", "matches", "lacks_match", "present"}
	jsonOps   = slices.Concat([]string{"equals", "any_of", "not", "contains", "matches", "present"}, numbers, below("length", append([]string{"equals"}, numbers...)))
)

// literal makes a value of an operator from how it is written: a number, true or false, or in quotes or by its looks a text.
func literal(op, text string, quoted bool) (any, error) {
	if len(text) > maxMatchText {
		return nil, fmt.Errorf("longer than %d characters", maxMatchText)
	}
	var v any = text
	if !quoted {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var plain any
		if d.Decode(&plain) == nil && !d.More() && int(d.InputOffset()) == len(text) {
			switch plain.(type) {
			case json.Number, bool:
				v = plain
			}
		}
	}
	return v, fits(op, v)
}

// fits refuses a value that an operator has no use for.
func fits(op string, v any) error {
	_, isNumber := v.(json.Number)
	_, isBool := v.(bool)
	text, isText := v.(string)
	outer, _, nested := strings.Cut(op, ".")
	switch {
	case nested || slices.Contains(numbers, outer):
		if !isNumber || len(v.(json.Number)) > 40 { //nolint:forcetypeassert // It is one.
			return errors.New("must be a number")
		}
	case outer == "present":
		if !isBool {
			return errors.New("must be true or false")
		}
	case outer == "matches" || outer == "lacks_match":
		if !isText {
			return errors.New("must be a regular expression in quotes")
		}
		if _, err := regexp.Compile(text); err != nil {
			why := ""
			if at, ok := errors.AsType[*syntax.Error](err); ok { // Its text would repeat a part of it.
				why = ": " + at.Code.String()
			}
			return errors.New("not a regular expression (RE2)" + why)
		}
	case !isNumber && !isBool && !isText:
		return errors.New("must be a text, a number, true or false")
	case isText && text == "" && outer != "equals" && outer != "any_of" && outer != "not":
		return errors.New("must not be empty")
	}
	return nil
}

// validMatches refuses what came over a wire as no matcher of these operators.
func validMatches(all []Match, ops []string) error {
	for _, m := range all {
		if !slices.Contains(ops, m.Op) || len(m.Values) == 0 || len(m.Values) > maxMatchList {
			return fmt.Errorf("condition %q: %w", m.Op, status.ErrInvalid)
		}
		for _, v := range m.Values {
			if text, is := v.(string); is && len(text) > maxMatchText || fits(m.Op, v) != nil {
				return fmt.Errorf("value of %q: %w", m.Op, status.ErrInvalid)
			}
		}
	}
	return nil
}

// add adds a value of an operator.
func add(all []Match, op string, v any) ([]Match, error) {
	at := slices.IndexFunc(all, func(m Match) bool { return m.Op == op })
	switch {
	case at < 0:
		return append(all, Match{op, []any{v}}), nil
	case len(all[at].Values) == maxMatchList:
		return all, fmt.Errorf("more than %d values", maxMatchList)
	}
	all[at].Values = append(all[at].Values, v)
	return all, nil
}

// Path is the path into JSON that a name of a condition means: that of RFC 9535 where it begins with $, else names and indices
// as in a.b[0].
func Path(name string) (*jsonpath.Path, error) {
	if len(name) > maxMatchText || strings.Count(name, "..") > 1 {
		return nil, errors.New("a path has at most 1000 characters and one \"..\"") // Each more multiplies the work.
	}
	if strings.HasPrefix(name, "$") {
		return jsonpath.Parse(name)
	}
	var b strings.Builder
	b.WriteByte('$')
	for rest := name; rest != ""; {
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, errors.New("a [ without its ]")
			}
			b.WriteString(rest[:end+1])
			rest = strings.TrimPrefix(rest[end+1:], ".")
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		quoted, err := json.Marshal(rest[:end])
		if err != nil || end == 0 {
			return nil, errors.New("an empty name between two dots")
		}
		b.WriteString("[" + string(quoted) + "]")
		rest = strings.TrimPrefix(rest[end:], ".")
	}
	return jsonpath.Parse(b.String())
}

func pathName(name string) error {
	if _, err := Path(name); err != nil || name == "" {
		return errors.New(`no path into JSON: write a.b[0], or one of RFC 9535 such as "$.items[?@.id==7].state"`)
	}
	return nil
}

// body is a condition of an answer's text.
func body(b block) []Key {
	return []Key{{
		Name: b.name + ".body", Form: Matcher, Ops: bodyOps,
		About: "what the body must be, else " + b.then + ": `ok` for `contains`, or `contains`, `lacks`, `equals`, `matches`, `lacks_match` (RE2; of a list one must do) and `size: {above, at_least, below, at_most}` in bytes; the first MiB counts",
		Begin: func(c *Check) { b.of(c).Body = nil },
		Match: func(c *Check, _, op, text string, quoted bool) (err error) {
			return matched(&b.of(c).Body, op, text, quoted)
		},
		Show: func(c Check) any {
			if all := b.of(&c).Body; len(all) > 0 {
				return all
			}
			return nil
		},
	}}
}

func matched(all *[]Match, op, text string, quoted bool) error {
	v, err := literal(op, text, quoted)
	if err != nil {
		return err
	}
	*all, err = add(*all, op, v)
	return err
}

// byName makes a key of conditions that have names.
func byName(name, about string, ops []string, names func(string) error, of func(c *Check) *map[string][]Match) Key {
	return Key{
		Name: name, Form: Matchers, Ops: ops, About: about, Names: names,
		Begin: func(c *Check) {
			all := of(c)
			if *all = maps.Clone(*all); *all == nil {
				*all = map[string][]Match{}
			}
		},
		Clear: func(c *Check, name string) error {
			all := *of(c)
			delete(all, name)
			if len(all) == maxMatchNames {
				return fmt.Errorf("more than %d", maxMatchNames)
			}
			return nil
		},
		Match: func(c *Check, name, op, text string, quoted bool) error {
			all := (*of(c))[name]
			err := matched(&all, op, text, quoted)
			(*of(c))[name] = all
			return err
		},
		Show: func(c Check) any {
			if all := *of(&c); len(all) > 0 {
				return all
			}
			return nil
		},
	}
}

// header is a condition of headers of an answer.
func header(b block) []Key {
	return []Key{byName(b.name+".header", "headers and what they must be, else "+b.then+": a value for `equals`, or `contains`, `lacks`, `matches`, `lacks_match`, `present`",
		headerOps, headerName, func(c *Check) *map[string][]Match { return &b.of(c).Header })}
}

// jsonValues is a condition of an answer in JSON.
func jsonValues(b block) []Key {
	return []Key{byName(b.name+".json", "paths (`a.b[0]`, or RFC 9535 from `$`) and what is there, else "+b.then+": a value for `equals`, or `any_of`, `not`, `contains`, `matches`, `present`, `above`, `at_least`, `below`, "+
		"`at_most`, `length`; numbers are numbers and texts texts; of several values each must do, and what isn't there does not",
		jsonOps, pathName, func(c *Check) *map[string][]Match { return &b.of(c).JSON })}
}

// statuses is a condition of the status of an answer over HTTP; that of availability is HTTP.ExpectStatus.
func statuses(c *Check, text string) error {
	r, err := parseStatus(text)
	if err == nil {
		c.Unless.Status = append(c.Unless.Status, r)
	}
	return err
}

// NeedsBody tells whether an answer must be had with all that it has: HEAD brings no body, and not always the headers of GET.
func (c *Check) NeedsBody() bool {
	for _, all := range []*Conditions{&c.Expect, &c.Unless} {
		if len(all.Body) > 0 || len(all.JSON) > 0 || len(all.Header) > 0 {
			return true
		}
	}
	return false
}
