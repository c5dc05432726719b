// Package archtest holds the imports of the repo to the table in ARCHITECTURE.md.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "statuspage"

// rules maps a package to what it may import; nil stands for everything.
type rules map[string][]string

var quoted = regexp.MustCompile("`([^`]+)`")

// parseRules reads the table that begins with "| package | may import |".
func parseRules(markdown string) rules {
	r := rules{}
	inside := false
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 4 {
			inside = false
			continue
		}
		left, right := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if left == "package" && right == "may import" {
			inside = true
			continue
		}
		if !inside {
			continue
		}
		allowed := []string{}
		for _, m := range quoted.FindAllStringSubmatch(right, -1) {
			allowed = append(allowed, m[1])
		}
		if right == "everything" {
			allowed = nil
		}
		for _, m := range quoted.FindAllStringSubmatch(left, -1) {
			r[m[1]] = allowed
		}
	}
	return r
}

// check lists the offences of a package that imports these packages of ours.
func (r rules) check(pkg string, imports []string) (offences []string) {
	allowed, known := r[pkg]
	if !known {
		return []string{pkg + " is missing in the table"}
	}
	for _, i := range imports {
		if allowed != nil && !slices.Contains(allowed, i) {
			offences = append(offences, pkg+" imports "+i)
		}
	}
	return offences
}

// ours lists, for each package below root, which packages of ours its files import; tests
// are free to use what they need.
func ours(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || name == "data" || name != "." && name != ".." && strings.HasPrefix(name, ".") {
				return fs.SkipDir
			}
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types"}, d.Name()) {
				t.Errorf("%s: a folder's name tells its subject", file)
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		found[pkg] = append(found[pkg], []string{}...)
		if strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if rest, is := strings.CutPrefix(name, module+"/"); is && !slices.Contains(found[pkg], rest) {
				found[pkg] = append(found[pkg], rest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	markdown, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	r := parseRules(string(markdown))
	packages := ours(t, root)
	if len(packages) < 10 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for pkg, imports := range packages {
		for _, offence := range r.check(pkg, imports) {
			t.Error(offence)
		}
	}
	for pkg := range r {
		if _, exists := packages[path.Clean(pkg)]; !exists {
			t.Errorf("the table names %s, which does not exist", pkg)
		}
	}
}

func TestTheTableIsRead(t *testing.T) {
	t.Parallel()
	r := parseRules("text\n| other | table |\n|---|---|\n| `x` | `y` |\n\n| package | may import |\n|---|---|\n| `cmd/x` | everything |\n| `a`, `b` | `c`, `d/e` |\n| `c` | nothing of ours |\n\n| `z` | `q` |\n")
	for pkg, c := range map[string]struct {
		imports []string
		want    int
	}{
		"cmd/x": {[]string{"a", "q"}, 0},
		"a":     {[]string{"c", "d/e"}, 0},
		"b":     {[]string{"c", "a"}, 1},
		"c":     {[]string{"a"}, 1},
		"z":     {nil, 1},
		"x":     {nil, 1},
	} {
		if got := r.check(pkg, c.imports); len(got) != c.want {
			t.Errorf("%s: %v, want %d offences", pkg, got, c.want)
		}
	}
}
