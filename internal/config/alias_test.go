package config

import (
	"bytes"
	"strings"
	"testing"
)

func TestAliasesOfServices(t *testing.T) {
	t.Parallel()
	two := func(first, second string) string {
		return "services:\n- {name: A, url: 'https://a.example', aliases: [" + first + "]}\n- {name: B, url: 'https://b.example', aliases: [" + second + "]}\n"
	}
	c, err := Load(Overrides{}, env(), file(two("kuma:2, 'gatus:core_a'", "kuma:3")))
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	if err := c.Print(&printed); err != nil || !strings.Contains(printed.String(), "- gatus:core_a") || len(c.Checks[0].Aliases) != 2 {
		t.Errorf("printed %s: %v", printed.String(), err)
	}
	for _, wrong := range []string{two("kuma:2", "kuma:2"), two("kuma:x", "kuma:1"), two("kuma:0", "kuma:1"), two("'gatus:a/b'", "kuma:1"), two("2", "kuma:1")} {
		if _, err := Load(Overrides{}, env(), file(wrong)); err == nil || !strings.Contains(err.Error(), "aliases") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
