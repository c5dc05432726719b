package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "accept the golden files as they come out")

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// file serves one text as statuspage.yaml.
func file(text string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name != "statuspage.yaml" {
			return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		}
		return []byte(text), nil
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (accept it with -update):\n%s", path, diff)
	}
}

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, path := range files {
		c, err := Load(Overrides{File: path}, env("PASSWORD", "s3cret"), os.ReadFile)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var out bytes.Buffer
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "s3cret") {
			t.Errorf("%s: a secret is printed:\n%s", path, out.String())
		}
		golden(t, strings.TrimSuffix(path, ".yaml")+".txt", out.String())
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, path := range files {
		_, err := Load(Overrides{File: path}, env(), os.ReadFile)
		if err == nil {
			t.Errorf("%s is accepted", path)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a secret is told:\n%v", path, err)
		}
		golden(t, strings.TrimSuffix(path, ".yaml")+".txt", strings.ReplaceAll(err.Error(), `\`, "/")+"\n")
	}
}

func TestFlagsBeatEnvironmentBeatsFile(t *testing.T) {
	t.Parallel()
	text := "listen: 127.0.0.1:1\nlisten_ops: 127.0.0.1:11\ndatabase: sqlite:///file.db\nservices:\n  - {name: A, url: 'https://a'}\n"
	variables := env("STATUSPAGE_LISTEN", "127.0.0.1:2", "STATUSPAGE_LISTEN_OPS", "127.0.0.1:12", "STATUSPAGE_DATABASE_URL", "questdb://env:8812/qdb", "STATUSPAGE_WEBSITE_URL", "https://env.example", "STATUSPAGE_FREQUENCY", "7")
	for name, c := range map[string]struct {
		o                     Overrides
		getenv                func(string) string
		listen, database, url string
		interval              time.Duration
	}{
		"file":        {Overrides{}, env(), "127.0.0.1:1", "sqlite:///file.db", "https://a", time.Minute},
		"environment": {Overrides{}, variables, "127.0.0.1:2", "questdb://env:8812/qdb", "https://env.example", 7 * time.Minute},
		"flags":       {Overrides{Listen: "127.0.0.1:3", ListenOps: "127.0.0.1:13", Database: "sqlite:///flag.db", URLs: []string{"https://flag.example"}}, variables, "127.0.0.1:3", "sqlite:///flag.db", "https://flag.example", 7 * time.Minute},
	} {
		got, err := Load(c.o, c.getenv, file(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ops := strings.Replace(c.listen, ":", ":1", 1); got.ListenOps != ops {
			t.Errorf("%s: listen_ops %s, want %s", name, got.ListenOps, ops)
		}
		if got.Listen != c.listen || string(got.Database) != c.database || len(got.Checks) != 1 || got.Checks[0].URL != c.url || got.Checks[0].Interval != c.interval {
			t.Errorf("%s: %s %s %+v", name, got.Listen, string(got.Database), got.Checks)
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	absent := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	c, err := Load(Overrides{}, env(), absent)
	if err != nil || len(c.Checks) != 0 || c.Listen == "" {
		t.Errorf("without a file: %+v, %v; want the defaults", c, err)
	}
	for _, o := range []struct {
		o      Overrides
		getenv func(string) string
	}{{Overrides{File: "x.yaml"}, env()}, {Overrides{}, env("STATUSPAGE_CONFIG", "x.yaml")}} {
		if _, err := Load(o.o, o.getenv, absent); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("a file that was named and is missing: %v", err)
		}
	}
}

func TestVariablesCannotAddSettings(t *testing.T) {
	t.Parallel()
	c, err := Load(Overrides{}, env("TITLE", `x", services: [{name: y, url: "https://y"}], a: "`), file("title: ${TITLE}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Checks) != 0 || !strings.Contains(c.Title, "services") {
		t.Errorf("title %q, %d services; want the text as it is, and none", c.Title, len(c.Checks))
	}
	if _, err := Load(Overrides{}, env("TITLE", "a\nb"), file("title: ${TITLE}\n")); err == nil {
		t.Error("a line break from a variable is accepted")
	}
}

func TestIdsOfURLsAreUnique(t *testing.T) {
	t.Parallel()
	c, err := Load(Overrides{URLs: []string{"https://a.example", "http://a.example", "https://page"}}, env(), file(""))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"page": true}
	for _, k := range c.Checks {
		if seen[k.ID] {
			t.Errorf("id %s is there twice, or reserved", k.ID)
		}
		seen[k.ID] = true
	}
}

// FuzzLoad holds that no file makes Load panic, that mistakes have a place, and that what
// was loaded can be printed and loaded again.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(Overrides{}, env("PASSWORD", "x"), file(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "statuspage.yaml:") {
				t.Fatalf("no place: %v", err)
			}
			return
		}
		var out bytes.Buffer
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		printed := out.String()
		again, err := Load(Overrides{}, env(), file(printed))
		if err != nil {
			t.Fatalf("what was printed can't be loaded: %v\n%s", err, printed)
		}
		if len(again.Checks) != len(c.Checks) || again.Title != c.Title {
			t.Fatalf("what was printed is something else:\n%s", printed)
		}
	})
}
