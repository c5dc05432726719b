package channel_test

import (
	"flag"
	"os"
	"statuspage/internal/notify/channel"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "accept the documentation as it comes out of the table")

const (
	documentation = "../../../docs/alerts.md"
	generated     = "## Kinds of channels\n" // What follows comes out of the table.
)

// document is the end of docs/alerts.md.
func document() string {
	var b strings.Builder
	b.WriteString(generated + "\nWhat is secret may stand in a file, as `NAME_file`: a path beside the configuration. Addresses are https, or http on this machine.\n")
	for _, k := range channel.Kinds() {
		b.WriteString("\n### " + k.Name + "\n\n" + strings.ToUpper(k.About[:1]) + k.About[1:] + ".\n\n| setting | | |\n|---|---|---|\n")
		for _, key := range k.Keys {
			var words []string
			if key.Required {
				words = append(words, "required")
			}
			if key.Secret {
				words = append(words, "secret")
			}
			if key.Many {
				words = append(words, "one or a list")
			}
			b.WriteString("| `" + key.Name + "` | " + strings.Join(words, ", ") + " | " + key.About + " |\n")
		}
		b.WriteString("\n```yaml\nchannels:\n  " + strings.ReplaceAll(strings.TrimSpace(k.Example), "\n", "\n  ") + "\n```\n")
	}
	return b.String()
}

// TestDocumentationIsTheTable holds that every kind and setting is told, and none that there is not.
func TestDocumentationIsTheTable(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(body), generated)
	want := before + document()
	if *update && found {
		if err := os.WriteFile(documentation, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !found || string(body) != want {
		t.Error("docs/alerts.md is not what the table says (accept it with -update)")
	}
}
