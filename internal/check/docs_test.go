package check

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "accept the documentation as it comes out of the table")

const documentation = "../../docs/checks.md"

// document is docs/checks.md.
func document() string {
	var b strings.Builder
	b.WriteString(`# Kinds of checks

How a service is checked is told by the scheme of its ` + "`url`" + `. The settings below are those that a kind has of its own; those of all kinds are in the
[README](../README.md#configuration). ` + "`defaults`" + ` may have the settings of every kind, and each service takes those of its own.

| kind | address | what it does |
|---|---|---|
`)
	for _, k := range Kinds() {
		var forms []string
		for _, s := range k.Schemes {
			forms = append(forms, "`"+s.Form+"`")
		}
		b.WriteString("| [" + k.Name + "](#" + k.Name + ") | " + strings.Join(forms, ", ") + " | " + k.About + " |\n")
	}
	for _, k := range Kinds() {
		b.WriteString("\n## " + k.Name + "\n\n| setting | default | |\n|---|---|---|\n")
		for _, key := range k.Keys {
			def := ""
			if key.Default != "" {
				def = "`" + key.Default + "`"
			}
			b.WriteString("| `" + key.Name + "` | " + def + " | " + key.About + " |\n")
		}
		b.WriteString("\n```yaml\n" + k.Example + "```\n")
	}
	return b.String()
}

// TestDocumentationIsTheTable holds that every kind and setting is told, and none that there is not.
func TestDocumentationIsTheTable(t *testing.T) {
	t.Parallel()
	want := document()
	if *update {
		if err := os.WriteFile(documentation, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentation)
	if err != nil || string(got) != want {
		t.Errorf("docs/checks.md is not what the table says (accept it with -update): %v", err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		for _, key := range k.Keys {
			whole, _, _ := strings.Cut(key.Name, ".")
			if !strings.Contains(string(readme), "| `services[]."+key.Name+"` | ") && !strings.Contains(string(readme), "`services[]."+whole+"`") {
				t.Errorf("README.md lacks %s", key.Name)
			}
		}
	}
}
