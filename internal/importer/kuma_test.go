package importer

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// kumaDB makes a kuma.db of statements, and leaves it open as Uptime Kuma does while it runs.
func kumaDB(t *testing.T, pragma string, scripts ...string) (string, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kuma.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(pragma); err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		script, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(string(script)); err != nil {
			t.Fatal(err)
		}
	}
	return path, db
}

func TestDatabasesOfUptimeKumaBecomeWhatTheirGoldenFilesSay(t *testing.T) {
	t.Parallel()
	for golden, scripts := range map[string][]string{"kuma-1.23.db.golden": {"kuma-1.23.sql"}, "kuma-2.db.golden": {"kuma-1.23.sql", "kuma-2.sql"}} {
		t.Run(golden, func(t *testing.T) {
			t.Parallel()
			path, db := kumaDB(t, "PRAGMA journal_mode=DELETE", scripts...)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := Import("kuma", []string{path}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			configured(t, r)
			if bytes.Contains(r.YAML, []byte("hunter2")) || bytes.Contains(r.YAML, []byte("abcdefghij")) {
				t.Error("a secret is shown")
			}
			var report bytes.Buffer
			if err := r.Report.Text(&report); err != nil {
				t.Fatal(err)
			}
			got := bytes.ReplaceAll(slices.Concat(r.YAML, []byte("---\n"), report.Bytes(), []byte("---\n"), r.Secrets), []byte(filepath.Dir(path)+"/"), nil)
			same(t, filepath.Join("testdata", golden), got)
		})
	}
}

// What was written last stands in the log beside the database, which only a writer may take in.
func TestADatabaseIsReadWithItsLogAndLeftAsItWas(t *testing.T) {
	t.Parallel()
	path, db := kumaDB(t, "PRAGMA journal_mode=WAL", "kuma-1.23.sql")
	if _, err := db.Exec("PRAGMA wal_autocheckpoint=0; INSERT INTO monitor (id,name,type,url) VALUES (77,'Last','http','https://last.example.org')"); err != nil {
		t.Fatal(err)
	}
	before := folder(t, filepath.Dir(path))
	r, err := Import("kuma", []string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Report.Entries, func(e Entry) bool { return e.Name == "Last" && e.Result == Kept }) {
		t.Errorf("what stands in the log is missing: %+v", r.Report.Entries)
	}
	if after := folder(t, filepath.Dir(path)); !slices.Equal(before, after) {
		t.Errorf("was %v, is %v", before, after)
	}
}

func folder(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f.Name()+" "+hash(string(body)))
	}
	return all
}

func TestADamagedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kuma.db")
	for _, body := range []string{"SQLite format 3\x00", "SQLite format 3\x00" + string(bytes.Repeat([]byte{7}, 10_000))} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Import("kuma", []string{path}, Options{}); err == nil {
			t.Errorf("became %s", r.YAML)
		}
	}
	other, db := kumaDB(t, "CREATE TABLE monitor_of_another (id INTEGER)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Import("kuma", []string{other}, Options{}); err == nil {
		t.Error("a database of something else is taken")
	}
}

func TestTwoMonitorsOfOneNumberShareNoAlias(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup.json")
	body := `{"monitorList": [{"id": 1, "name": "a", "type": "http", "url": "https://a.example.org"}, {"id": 1, "name": "a", "type": "http", "url": "https://a.example.org"}, null, {}]}`
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Import("kuma", []string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checks := configured(t, r).Checks
	if len(checks) != 2 || len(checks[0].Aliases) != 1 || len(checks[1].Aliases) != 0 || checks[1].ID != "a-2" {
		t.Errorf("got %+v", checks)
	}
}

// Otherwise a header would add variables to whoever reads the file.
func TestASecretIsOneLineOfItsFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup.json")
	body := `{"monitorList": [{"id": 1, "name": "a", "type": "http", "url": "https://a.example.org", "headers": "{\"X-Key\": \"it's\\nPATH=/evil $HOME\"}"}]}`
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Import("kuma", []string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := `SECRET_A_X_KEY='it'\''s PATH=/evil $HOME'` + "\n"; string(r.Secrets) != want {
		t.Errorf("got %s", r.Secrets)
	}
}

func FuzzKuma(f *testing.F) { fuzz(f, "kuma") }
