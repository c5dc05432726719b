package importer

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"statuspage/internal/config"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// samples are files of each tool. They have the variables that a test of the result sets.
var samples = map[string][]string{
	"gatus":      {"gatus-01.yml", "gatus-02.yml", "gatus-05.yml", "gatus-09.yml", "gatus-conditions.yml"},
	"kuma":       {"kuma-01.json"},
	"upptime":    {"upptime-01.yml", "upptime-03.yml", "upptime-more.yml"},
	"prometheus": {"prometheus-01.yml blackbox-01.yml", "blackbox-03.yml prometheus-03.yml"}, // Files that belong together.
}

var vars = map[string]string{"API_TOKEN": "t", "APP": "app", "SUB": "sub", "ZONE": "example.org", "SVC": "svc", "NS": "ns", "B": "b", "SECRET_SITE": "db.example.org", "SECRET_PORT": "5432"}

func getenv(name string) string { return vars[name] }

// configured reads what an import has written, with its secrets set.
func configured(t *testing.T, r *Result) *config.Config {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(string(r.Secrets)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = strings.Trim(value, "'")
	}
	all := func(name string) string {
		if v := env[name]; v != "" {
			return v
		}
		return getenv(name)
	}
	c, err := config.Load(config.Overrides{File: "x.yaml"}, all, func(string) ([]byte, error) { return r.YAML, nil })
	if err != nil {
		t.Fatalf("config check: %v\n%s", err, r.YAML)
	}
	return c
}

func TestSamplesBecomeWhatTheirGoldenFilesSay(t *testing.T) {
	t.Parallel()
	for tool, names := range samples {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				files := inTestdata(name)
				r, err := Import(tool, files, Options{Getenv: getenv})
				if err != nil {
					t.Fatal(err)
				}
				configured(t, r)
				var got bytes.Buffer
				got.Write(r.YAML)
				got.WriteString("---\n")
				if err := r.Report.Text(&got); err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n")
				got.Write(r.Secrets)
				same(t, files[0]+".golden", got.Bytes())
				again, err := Import(tool, files, Options{Getenv: getenv})
				if err != nil || !bytes.Equal(again.YAML, r.YAML) || !bytes.Equal(again.Secrets, r.Secrets) {
					t.Error("a second run gives other bytes")
				}
			})
		}
	}
}

func inTestdata(names string) (all []string) {
	for name := range strings.FieldsSeq(names) {
		all = append(all, filepath.Join("testdata", name))
	}
	return all
}

// same compares with a golden file.
func same(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (-update writes it):\n%s", golden, got)
	}
}

// What has its value in secrets.env is nowhere else.
func TestSecretsStandInTheirFileAlone(t *testing.T) {
	t.Parallel()
	for tool, names := range samples {
		for _, name := range names {
			r, err := Import(tool, inTestdata(name), Options{Getenv: getenv})
			if err != nil {
				t.Fatal(err)
			}
			var report bytes.Buffer
			if err := errors.Join(r.Report.Text(&report), r.Report.JSON(&report)); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"hunter2", "p%40ss", "k3y", "p@ss", "probe:secret", "AAAABBBB", "abcdefghij", "Bearer t", "dTpw"} {
				if bytes.Contains(r.YAML, []byte(secret)) || strings.Contains(report.String(), secret) {
					t.Errorf("%s: %q is shown", name, secret)
				}
			}
		}
	}
}

func TestSlowMayBeDegraded(t *testing.T) {
	t.Parallel()
	r, err := Import("gatus", []string{"testdata/gatus-09.yml"}, Options{Slow: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configured(t, r).Checks {
		if c.Name == "Media" && (c.DegradedAfter.Milliseconds() != 150 || c.Expect.Latency != 0) {
			t.Errorf("got %v and %v", c.DegradedAfter, c.Expect.Latency)
		}
	}
}

// hostile are contents of files that are no configuration, or one that nobody means well with.
var hostile = map[string]string{
	"empty":      "",
	"blank":      " \n\n",
	"null":       "null",
	"list":       "- a\n- b\n",
	"scalar":     "hello",
	"binary":     "\x00\x01\xff\xfe",
	"tabs":       "\tendpoints:\n",
	"template":   "endpoints:\n{{- range .Values.x }}\n  - name: {{ .name }}\n{{ end }}",
	"other":      "a: 1\nb: [2]\n",
	"html":       "<!DOCTYPE html><html><body>404</body></html>",
	"brackets":   strings.Repeat("[", 20_000),
	"braces":     strings.Repeat("{a: ", 20_000),
	"selfalias":  "endpoints: &a\n  - *a\n",
	"selfmerge":  "endpoints:\n  - &a\n    <<: *a\n    name: x\n",
	"truncated":  `{"monitorList": [{"id": 1, "name": "x`,
	"wrongtypes": `{"monitorList": {"a": 1}, "endpoints": {"a": 1}, "sites": 7}`,
}

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 {name: x}\n")
	for n := range 40 {
		at := string(rune('0'+n/10)) + string(rune('0'+n%10))
		before := "a0"
		if n > 0 {
			before = "b" + string(rune('0'+(n-1)/10)) + string(rune('0'+(n-1)%10))
		}
		b.WriteString("b" + at + ": &b" + at + " {<<: [*" + before + ", *" + before + "]}\n")
	}
	return b.String() + "endpoints:\n  - <<: *b39\n    url: https://a.example.org\nsites:\n  - <<: *b39\n"
}

func TestFilesThatAreNoneAreRefusedInAFewLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := maps.Clone(hostile)
	all["laughs"] = laughs()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		path := filepath.Join(dir, what)
		if err := os.WriteFile(path, []byte(all[what]), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, tool := range Sources() {
			r, err := Import(tool, []string{path}, Options{})
			switch {
			case err == nil:
				configured(t, r) // What is taken all the same is at least one of ours.
			case !strings.Contains(err.Error(), what) || strings.Count(err.Error(), "\n") > 3:
				t.Errorf("%s of %s: %v", what, tool, err)
			}
		}
	}
	for _, tool := range Sources() {
		if _, err := Import(tool, []string{filepath.Join(dir, "missing")}, Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s of a missing file: %v", tool, err)
		}
		if _, err := Import(tool, []string{dir}, Options{}); err == nil {
			t.Errorf("%s of a folder: no error", tool)
		}
	}
}

func TestAConfigMapIsReadAndItsLinesAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "map.yaml")
	body := "apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: |\n    endpoints:\n      - name: a\n        url: https://a.example.org\n        conditions: [\"[STATUS] == 200\"]\n"
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Import("gatus", []string{path}, Options{})
	if err != nil || len(r.Report.Entries) != 1 || r.Report.Entries[0].Line != 6 || r.Report.Entries[0].Result != Kept {
		t.Errorf("got %+v, %v", r, err)
	}
}

// What is not at the top of a file is found in values of charts, and several files are one configuration.
func TestSeveralFilesAndValuesOfAChartAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var paths []string
	for name, body := range map[string]string{
		"values":  "image: {tag: v5}\nconfig:\n  endpoints: [{name: a, url: 'tcp://a.example.org:1', conditions: ['[CONNECTED] == true']}]\n",
		"release": "kind: HelmRelease\nspec:\n  values:\n    config:\n      endpoints: [{name: a, url: 'tcp://a.example.org:1', conditions: ['[CONNECTED] == true']}]\n",
		"old":     "services: [{name: a, url: 'tcp://a.example.org:1', conditions: ['[CONNECTED] == true']}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	r, err := Import("gatus", paths, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range configured(t, r).Checks {
		ids = append(ids, c.ID)
	}
	if !slices.Equal(ids, []string{"a", "a-2", "a-3"}) || r.Report.Lost() {
		t.Errorf("ids %v, %+v", ids, r.Report)
	}
}

func fuzz(f *testing.F, tool string) {
	for _, name := range samples[tool] {
		for _, path := range inTestdata(name) {
			if body, err := os.ReadFile(path); err == nil {
				f.Add(body)
			}
		}
	}
	for _, body := range hostile {
		if len(body) < 1000 { // Long ones only take their time to be made shorter.
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Import(tool, []string{path}, Options{})
		if err != nil {
			if strings.Count(err.Error(), "\n") > 3 {
				t.Errorf("a long error: %v", err)
			}
			return
		}
		if bytes.Contains(r.YAML, []byte("${")) {
			return // What its variables are nobody knows.
		}
		configured(t, r)
	})
}

func FuzzPrometheus(f *testing.F) { fuzz(f, "prometheus") }

func FuzzUpptime(f *testing.F) { fuzz(f, "upptime") }

func FuzzGatus(f *testing.F) { fuzz(f, "gatus") }
