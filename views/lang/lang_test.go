package lang

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var verb = regexp.MustCompile(`%(?:\[\d+\])?[sd]|\{[a-z]+\}`)

func TestCataloguesAreComplete(t *testing.T) {
	t.Parallel()
	english, err := read("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codes {
		entries, err := read(code)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range english {
			got, there := entries[key]
			switch {
			case !there:
				t.Errorf("%s lacks %q", code, key)
			case want.forms == nil && (got.text == "" || got.forms != nil):
				t.Errorf("%s: %q must be a text", code, key)
			case want.forms != nil && got.forms["other"] == "":
				t.Errorf("%s: %q must have plural forms, other among them", code, key)
			case want.forms == nil && !strings.HasPrefix(key, "date.") && !slices.Equal(verbs(want.text), verbs(got.text)):
				t.Errorf("%s: %q takes %v, the English text %v", code, key, verbs(got.text), verbs(want.text))
			}
			for form, text := range got.forms {
				if want.forms != nil && !slices.Equal(verbs(want.forms["other"]), verbs(text)) {
					t.Errorf("%s: %q, form %s takes %v, want %v", code, key, form, verbs(text), verbs(want.forms["other"]))
				}
			}
			if n := len(strings.Split(want.text, "|")); n > 1 && len(strings.Split(got.text, "|")) != n {
				t.Errorf("%s: %q has not %d parts", code, key, n)
			}
		}
		for key := range entries {
			if _, there := english[key]; !there {
				t.Errorf("%s has %q, which English lacks", code, key)
			}
		}
	}
}

// TestKeysStandOnce holds what JSON does not: of a key that stands twice the first text is lost.
func TestKeysStandOnce(t *testing.T) {
	t.Parallel()
	for _, code := range codes {
		text, err := os.ReadFile(filepath.Join("catalog", code+".json"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(text), -1) {
			if seen[m[1]] {
				t.Errorf("%s has %q twice", code, m[1])
			}
			seen[m[1]] = true
		}
		entries, err := read(code)
		if err != nil || len(entries) != len(seen) {
			t.Errorf("%s: %d keys are read, %d stand there (%v)", code, len(entries), len(seen), err)
		}
	}
}

func verbs(text string) []string {
	all := verb.FindAllString(text, -1)
	slices.Sort(all)
	return all
}

// TestEveryKeyIsUsedAndThere reads the sources: a key that nobody has written is as wrong as
// one that nobody asks for.
func TestEveryKeyIsUsedAndThere(t *testing.T) {
	t.Parallel()
	english, err := read("en")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, pattern := range []string{"../*.templ", "../*.go", "*.go", "../../handlers/*.go", "../../handlers/*/*.go", "../../internal/page/*.go", "../../internal/live/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	literal := regexp.MustCompile(`\.T\("([a-z0-9.]*)"( ?\+)?`)
	prefixes := []string{"language", "months", "weekdays", "date.", "unit.", "state.", "cell.", "how.", "banner."}
	used := map[string]bool{}
	for _, m := range literal.FindAllStringSubmatch(source.String(), -1) {
		if m[2] != "" {
			prefixes = append(prefixes, m[1])
			continue
		}
		used[m[1]] = true
		if _, there := english[m[1]]; !there {
			t.Errorf("the catalogue lacks %q", m[1])
		}
	}
	for key := range english {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nobody uses %q", key)
		}
	}
}

func TestLanguageIsChosenByTheHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "en", "de-AT,de;q=0.9,en;q=0.8": "de", "pt-BR": "pt", "xx": "en", "fr;q=0.1, ja": "ja", "nl, es;q=0.5": "es",
		";;;,q=": "en", strings.Repeat("de,", 1000): "en", "*": "en",
	} {
		if got := Match(header).Code; got != want {
			t.Errorf("Accept-Language %.40q gets %s, want %s", header, got, want)
		}
	}
}

func TestNumbersAndDatesFollowTheLanguage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 29, 14, 5, 6, 0, time.UTC)
	for _, c := range []struct{ code, percent, number, date, latency string }{
		{"en", "99.98%", "12,345", "Sunday, 29 March 2026", "2.34 s"},
		{"de", "99,98\u00a0%", "12.345", "Sonntag, 29. März 2026", "2,34 s"},
		{"fr", "99,98\u00a0%", "12\u00a0345", "dimanche 29 mars 2026", "2,34 s"},
		{"ja", "99.98%", "12,345", "2026年3月29日（日曜日）", "2.34 s"},
	} {
		l, ok := Find(c.code)
		if !ok {
			t.Fatal(c.code)
		}
		for _, p := range []struct{ got, want string }{
			{l.Percent("99.98"), c.percent}, {l.Number(12345), c.number}, {l.Date(at), c.date}, {l.Milliseconds(2340 * time.Millisecond), c.latency},
		} {
			if p.got != p.want {
				t.Errorf("%s writes %q, want %q", c.code, p.got, p.want)
			}
		}
	}
}

func TestPluralsAndDurations(t *testing.T) {
	t.Parallel()
	l := Default()
	for _, c := range []struct{ got, want string }{
		{l.T("banner.some.down", 1, 5), "1 of 5 services is down"},
		{l.T("banner.some.down", 3, 5), "3 of 5 services are down"},
		{l.T("filter.found", 1), "1 service"},
		{l.Duration(59 * time.Second), "59 s"},
		{l.Duration(2*time.Hour + 5*time.Minute + 9*time.Second), "2 h 5 min"},
		{l.Duration(49 * time.Hour), "2 d 1 h"},
		{l.Duration(0), "0 s"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// FuzzMatch holds that every Accept-Language leads to one of the languages there are.
func FuzzMatch(f *testing.F) {
	for _, header := range []string{"", "de-CH, fr;q=0.9", "*", "x-klingon", ";;;q=,", "en-u-co-phonebk-x-y", "zh-Hant-TW;q=1e9"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if l := Match(header); l == nil || !slices.Contains(All(), l) {
			t.Fatalf("%q leads to %v", header, l)
		}
	})
}
