package config

import (
	"regexp"
	"strings"
	"testing"
)

// TestHostileTextsAreRefusedWithTheirPlace puts what would break a line, a header or a page into every
// setting that is shown or sent, escaped in the file and as it is.
func TestHostileTextsAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`^statuspage\.yaml:\d+:\d+: `)
	for _, setting := range []string{
		"title: \"a%sb\"\n",
		"services:\n  - {name: \"a%sb\", url: 'https://x'}\n",
		"services:\n  - {name: a, group: \"a%sb\", url: 'https://x'}\n",
		"services:\n  - {name: a, url: \"https://x/a%sb\"}\n",
		"services:\n  - {name: a, id: \"a%sb\", url: 'https://x'}\n",
		"services:\n  - name: a\n    url: https://x\n    headers: {X-A: \"a%sb\"}\n",
		"services:\n  - name: a\n    url: https://x\n    headers: {\"X-A%sb\": a}\n",
		"groups:\n  - {name: \"a%sb\"}\n",
		"groups:\n  - {name: a, description: \"a%sb\"}\n",
		"brand: {header: [{text: \"a%sb\", url: 'https://x'}]}\n",
		"brand: {footer: [{text: a, url: \"https://x/%s\"}]}\n",
		"base_url: \"https://x/%s\"\n",
		"listen: \"127.0.0.1%s:80\"\n",
		"outbox: \"a%sb\"\n",
		"cors: {allow_origins: [\"http://x%sy\"]}\n",
	} {
		for _, bad := range []string{`\r\n`, `\n`, `\r`, `\0`, `\x1b`, `\x7f`, `\x85`, `\u2028`, `\u202e`, `\u2066`, "\x00", "\xff", "\u202e", "\x1b"} {
			text := strings.Replace(setting, "%s", bad, 1)
			_, err := Load(Overrides{}, env(), file(text))
			if err == nil {
				t.Errorf("%q is accepted", text)
			} else if !place.MatchString(err.Error()) {
				t.Errorf("%q: no place: %v", text, err)
			}
			// The same out of a variable, which may hold any byte.
			raw := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00", `\x1b`, "\x1b", `\x7f`, "\x7f", `\x85`, "\u0085", `\u2028`, "\u2028", `\u202e`, "\u202e", `\u2066`, "\u2066").Replace(bad)
			if _, err := Load(Overrides{}, env("BAD", "a"+raw+"b"), file(strings.Replace(setting, "%s", "${BAD}", 1))); err == nil {
				t.Errorf("%q out of a variable is accepted in %q", raw, setting)
			} else if !place.MatchString(err.Error()) {
				t.Errorf("%q out of a variable: no place: %v", raw, err)
			}
		}
		if _, err := Load(Overrides{}, env(), file(strings.Replace(setting, "%s", strings.Repeat("x", 10_000), 1))); err == nil && !strings.HasPrefix(setting, "outbox") && !strings.Contains(setting, "X-A:") {
			t.Errorf("10,000 characters are accepted in %q", setting)
		}
	}
}
