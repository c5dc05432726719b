package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var required = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)

// direct lists the modules that the repo asks for by itself, as docs/adr/0004 names them; those that come
// with others have a comment.
func direct(mod string) (names []string) {
	for _, m := range required.FindAllStringSubmatch(mod, -1) {
		names = append(names, strings.TrimPrefix(m[1], "github.com/"))
	}
	return names
}

// named lists the modules of the given ones and of the table's first column.
func named(markdown string) (names []string) {
	inside := false
	for line := range strings.Lines(markdown) {
		cells := strings.Split(line, "|")
		switch {
		case strings.HasPrefix(line, "Given: "):
			cells = []string{"", line}
		case len(cells) > 2 && strings.TrimSpace(cells[1]) == "module":
			inside = true
			continue
		case len(cells) <= 2:
			inside = false
			continue
		case !inside:
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestModulesHaveTheirReason: what each module that we ask for is there for stands in docs/adr/0004, and nothing else does.
func TestModulesHaveTheirReason(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	markdown, err := os.ReadFile(filepath.Join(root, "docs", "adr", "0004-dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	ours, told := direct(string(mod)), named(string(markdown))
	if len(ours) < 10 {
		t.Fatalf("only %d modules found", len(ours))
	}
	for _, name := range ours {
		if !slices.Contains(told, name) {
			t.Errorf("docs/adr/0004 does not say what %s is for", name)
		}
	}
	for _, name := range told {
		if !slices.Contains(ours, name) {
			t.Errorf("docs/adr/0004 names %s, which go.mod does not ask for", name)
		}
	}
}
