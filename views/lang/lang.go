// Package lang puts what the product says of itself into the visitor's language: texts from
// message catalogues, plural forms, numbers and dates. Each catalogue is complete; a test
// holds it to the English one.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
	"golang.org/x/text/number"
)

//go:embed catalog/*.json
var files embed.FS

// names are the languages in the order of the switch, each in itself; the first is what everybody gets who
// asks for none of them.
var names = [][2]string{{"en", "English"}, {"de", "Deutsch"}, {"es", "Español"}, {"fr", "Français"}, {"ja", "日本語"}, {"pt", "Português"}}

// Language is one catalogue with its way to write numbers and dates, read when somebody first reads in it.
type Language struct {
	Code string // As in addresses and in the lang attribute.
	Name string // In the language itself.

	words func() *words
}

// words are what a language says.
type words struct {
	texts   map[string]string
	printer *message.Printer
	decimal string // Between whole and fraction: "." or ",".
	percent string // With %s for the number.
	months, shortMonths,
	weekdays []string
}

// entry is a text, or its plural forms.
type entry struct {
	text  string
	forms map[string]string
}

func (e *entry) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		return json.Unmarshal(data, &e.forms)
	}
	return json.Unmarshal(data, &e.text)
}

// All returns the languages in the order of the switch. The slice is shared: read only.
var All = sync.OnceValue(func() []*Language {
	all := make([]*Language, len(names))
	for i, n := range names {
		all[i] = &Language{Code: n[0], Name: n[1], words: sync.OnceValue(func() *words {
			w, err := load(n[0])
			if err != nil {
				panic(err) // The catalogues are part of the binary, and a test has read them.
			}
			return w
		})}
	}
	return all
})

func read(code string) (map[string]entry, error) {
	data, err := files.ReadFile("catalog/" + code + ".json")
	if err != nil {
		return nil, err
	}
	entries := map[string]entry{}
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", code, err)
	}
	return entries, nil
}

func load(code string) (*words, error) {
	entries, err := read(code)
	if err != nil {
		return nil, err
	}
	tag := language.MustParse(code)
	l := &words{texts: make(map[string]string, len(entries))}
	b := catalog.NewBuilder(catalog.Fallback(tag))
	for key, e := range entries {
		if e.forms == nil {
			l.texts[key] = e.text
			err = b.SetString(tag, key, e.text)
		} else {
			err = b.Set(tag, key, plural.Selectf(1, "%d", cases(e.forms)...))
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue %s, %s: %w", code, key, err)
		}
	}
	l.printer = message.NewPrinter(tag, message.Catalog(b))
	l.months, l.shortMonths, l.weekdays = list(l, "months"), list(l, "months.short"), list(l, "weekdays")
	l.decimal = strings.Trim(l.printer.Sprint(number.Decimal(0.5, number.Scale(1))), "05")
	l.percent = strings.Replace(l.printer.Sprint(number.Percent(0.5)), "50", "%s", 1)
	return l, nil
}

// cases puts the form "other" last, as the catalogue wants it.
func cases(forms map[string]string) []any {
	var out []any
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		if form != "other" {
			out = append(out, form, forms[form])
		}
	}
	return append(out, "other", forms["other"])
}

func list(l *words, key string) []string { return strings.Split(l.texts[key], "|") }

// Find returns the language of a code such as de.
func Find(code string) (*Language, bool) {
	for _, l := range All() {
		if l.Code == code {
			return l, true
		}
	}
	return nil, false
}

// Default is English.
func Default() *Language { return All()[0] }

var matcher = sync.OnceValue(func() language.Matcher {
	tags := make([]language.Tag, len(names))
	for i, n := range names {
		tags[i] = language.MustParse(n[0])
	}
	return language.NewMatcher(tags)
})

// Match returns the language that suits an Accept-Language header best.
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
func Match(accept string) *Language {
	if accept == "" || len(accept) > maxAccept {
		return Default()
	}
	if known, ok := matched.Load(accept); ok {
		return known.(*Language) //nolint:forcetypeassert // Nothing else is stored.
	}
	found := match(accept)
	if matches.Add(1) <= maxMatches {
		matched.Store(strings.Clone(accept), found)
	}
	return found
}

func match(accept string) *Language {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return Default()
	}
	_, i, confidence := matcher().Match(tags...)
	if confidence == language.No {
		return Default()
	}
	return All()[i]
}

// matched keeps what Accept-Language has led to: browsers send few different ones, and each
// takes longer to read than the page to send.
var (
	matched sync.Map
	matches atomic.Int64
)

const maxMatches = 2000 // Of a kilobyte at most.

// maxAccept bounds the header that is parsed; browsers send a tenth of it.
const maxAccept = 1024

// T returns the text of a key, with arguments put in as fmt does, numbers in the language's
// own way. The first argument decides the plural form of texts that have one.
func (l *Language) T(key string, args ...any) string {
	if len(args) == 0 {
		return l.words().texts[key]
	}
	return l.words().printer.Sprintf(key, args...)
}

// Number writes a whole number: 12,345.
func (l *Language) Number(n int) string { return l.words().printer.Sprint(n) }

// Decimal puts the language's decimal sign into a number such as 99.98.
func (l *Language) Decimal(digits string) string {
	sign := l.words().decimal
	if sign == "." {
		return digits
	}
	return strings.Replace(digits, ".", sign, 1)
}

// Percent writes a share such as 99.98, or <0.01.
func (l *Language) Percent(digits string) string {
	return strings.Replace(l.words().percent, "%s", l.Decimal(digits), 1)
}
