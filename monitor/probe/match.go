package probe

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"statuspage/internal/check"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDigits is how long a number may be and be compared exactly.
const maxDigits = 40

var errNoJSON = errors.New("the body is no JSON")

// page is what an answer over HTTP says, as far as it is looked at.
type page struct {
	header http.Header
	body   string // Unpacked, in UTF-8, up to maxBody.
	size   int    // In bytes, unpacked; maxBody + 1 for more than is read.
	parsed bool
	value  any // Of the body in JSON.
	err    error
}

// readPage reads the body of an answer and unpacks it: some servers pack it unasked. What it is unpacked to is bounded.
func readPage(res *http.Response) (*page, error) {
	body := io.Reader(res.Body)
	raw, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return nil, err
	}
	text, err := unpackBody(res.Header.Get("Content-Encoding"), raw)
	if err != nil {
		return nil, fmt.Errorf("malformed body: %v", err) //nolint:errorlint // It came whole: where it ends is no end of the connection.
	}
	p := &page{header: res.Header, size: len(text)}
	text = text[:min(len(text), maxBody)]
	_, params, _ := mime.ParseMediaType(res.Header.Get("Content-Type")) // Without one it is taken for UTF-8.
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin1", "us-ascii", "windows-1252":
		runes := make([]rune, len(text))
		for i, b := range text {
			runes[i] = rune(b)
		}
		p.body = string(runes)
	default:
		p.body = strings.TrimPrefix(string(text), "\ufeff")
	}
	return p, nil
}

func unpackBody(coding string, raw []byte) ([]byte, error) {
	var unpacked io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "gzip", "x-gzip":
		unpacked, err = gzip.NewReader(bytes.NewReader(raw))
	case "deflate":
		if unpacked, err = zlib.NewReader(bytes.NewReader(raw)); err != nil { // Some mean the stream alone.
			unpacked, err = flate.NewReader(bytes.NewReader(raw)), nil
		}
	default:
		return raw, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(unpacked, maxBody+1))
	if len(raw) > maxBody && errors.Is(err, io.ErrUnexpectedEOF) { // We did not read more.
		return append(text, 0), nil
	}
	return text, err
}

// unmetBody says which of the matchers the body does not meet.
func (p *page) unmetBody(t teller, want []check.Match) string {
	for _, m := range want {
		inner, sized := strings.CutPrefix(m.Op, "size.")
		switch {
		case sized:
			if !compares(inner, json.Number(strconv.Itoa(p.size)), m.Values) {
				return fmt.Sprintf("the body has %d bytes", p.size)
			}
		case !textMeets(p.body, m):
			return "the body is " + t.found([]string{p.body})
		}
	}
	return ""
}

// unmetHeader says which header does not meet its matchers.
func (p *page) unmetHeader(t teller, want map[string][]check.Match) string {
	for _, name := range sorted(want) {
		values := p.header.Values(name)
		for _, m := range want[name] {
			if m.Op == "present" {
				if wanted, _ := m.Values[0].(bool); wanted != (len(values) > 0) {
					return fmt.Sprintf("%s is %s", name, t.found(values))
				}
				continue
			}
			if len(values) == 0 || !textMeets(strings.Join(values, ", "), m) {
				return fmt.Sprintf("%s is %s", name, t.found(values))
			}
		}
	}
	return ""
}

// textMeets tells whether a text is what a matcher wants: one of its values must do, or of lacks and lacks_match all.
func textMeets(text string, m check.Match) bool {
	is := func(v any) bool {
		want := plainText(v)
		switch m.Op {
		case "contains", "lacks":
			return strings.Contains(text, want)
		case "matches", "lacks_match":
			return matches(want, text)
		default:
			return strings.TrimSpace(text) == strings.TrimSpace(want)
		}
	}
	return slices.ContainsFunc(m.Values, is) != strings.HasPrefix(m.Op, "lacks")
}

// matches compiles again: a pattern is short, and a probe is rare.
func matches(pattern, text string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// json reads the body once.
func (p *page) json() (any, error) {
	if p.parsed {
		return p.value, p.err
	}
	p.parsed = true
	if p.size > maxBody {
		p.err = fmt.Errorf("%w: it is longer than is read", errNoJSON)
		return nil, p.err
	}
	d := json.NewDecoder(strings.NewReader(p.body))
	d.UseNumber()
	if err := d.Decode(&p.value); err != nil {
		p.err = fmt.Errorf("%w: %w", errNoJSON, err)
		return nil, p.err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		p.err = fmt.Errorf("%w: something follows it", errNoJSON)
	}
	return p.value, p.err
}

// unmetJSON says which path does not lead to what is wanted.
func (p *page) unmetJSON(t teller, want map[string][]check.Match) string {
	if len(want) == 0 {
		return ""
	}
	value, err := p.json()
	if err != nil {
		return err.Error() + ": " + t.found([]string{p.body})
	}
	for _, name := range sorted(want) {
		path, err := check.Path(name)
		if err != nil {
			return err.Error()
		}
		nodes := path.Select(value)
		for _, m := range want[name] {
			if !nodesMeet(nodes, m) {
				return fmt.Sprintf("%s is %s", name, t.foundNodes(nodes))
			}
		}
	}
	return ""
}

// nodesMeet tells whether there are values, and all are what a matcher wants.
func nodesMeet(nodes []any, m check.Match) bool {
	if m.Op == "present" {
		wanted, _ := m.Values[0].(bool)
		return wanted == slices.ContainsFunc(nodes, func(v any) bool { return v != nil })
	}
	return len(nodes) > 0 && !slices.ContainsFunc(nodes, func(v any) bool { return !nodeMeets(v, m) })
}

func nodeMeets(v any, m check.Match) bool {
	is := func(want any) bool { return same(v, want) }
	inner, length := strings.CutPrefix(m.Op, "length.")
	switch {
	case length:
		n, has := countOf(v)
		return has && compares(inner, json.Number(strconv.Itoa(n)), m.Values)
	case m.Op == "equals" || m.Op == "any_of":
		return slices.ContainsFunc(m.Values, is)
	case m.Op == "not":
		return !slices.ContainsFunc(m.Values, is)
	case m.Op == "contains":
		if list, isList := v.([]any); isList {
			return slices.ContainsFunc(m.Values, func(want any) bool {
				return slices.ContainsFunc(list, func(one any) bool { return same(one, want) })
			})
		}
		fallthrough
	case m.Op == "matches":
		switch v.(type) {
		case string, json.Number, bool:
			return textMeets(plainText(v), m)
		}
		return false
	default:
		n, isNumber := v.(json.Number)
		return isNumber && compares(m.Op, n, m.Values)
	}
}

// same tells whether two values are equal. A text never equals a number.
func same(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, are := b.(json.Number)
	if isNumber && are {
		return compare(x, y) == 0
	}
	switch a.(type) {
	case string, bool, json.Number:
		return a == b
	}
	return false
}

// compares compares a number with those of an operator, of which one must do.
func compares(op string, n json.Number, with []any) bool {
	return slices.ContainsFunc(with, func(v any) bool {
		m, isNumber := v.(json.Number)
		if !isNumber {
			return false
		}
		switch c := compare(n, m); op {
		case "above":
			return c > 0
		case "at_least":
			return c >= 0
		case "below":
			return c < 0
		case "at_most":
			return c <= 0
		default:
			return c == 0
		}
	})
}

// compare is exact, for numbers of any length that has a sense; what a stranger writes with a million digits or zeros is rounded.
func compare(a, b json.Number) int {
	return numberOf(a).Cmp(numberOf(b))
}

func numberOf(n json.Number) *big.Rat {
	text := n.String()
	f, _ := n.Float64() // Infinite beyond what a float holds.
	if len(text) <= maxDigits && !math.IsInf(f, 0) && (f != 0 || !strings.ContainsAny(text, "eE")) {
		if exact, ok := new(big.Rat).SetString(text); ok {
			return exact
		}
	}
	return new(big.Rat).SetFloat64(max(-math.MaxFloat64, min(math.MaxFloat64, f)))
}

func countOf(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

func (t teller) foundNodes(nodes []any) string {
	var all []string
	for _, node := range nodes[:min(len(nodes), 10)] {
		text, _ := json.Marshal(node)
		all = append(all, string(text[:min(len(text), 20*maxTold)]))
	}
	return t.found(all)
}

// wanted is what matchers say, for a line of a log.
func wanted(all []check.Match) string {
	var texts []string
	for _, m := range all {
		words := []string{m.Op}
		for _, v := range m.Values {
			words = append(words, strconv.Quote(plainText(v)))
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return strings.Join(texts, ", ")
}

func wantedByName(all map[string][]check.Match) string {
	var texts []string
	for _, name := range sorted(all) {
		texts = append(texts, name+": "+wanted(all[name]))
	}
	return strings.Join(texts, "; ")
}

func sorted(m map[string][]check.Match) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
