package config

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watched is a watch of one file, whose content at each reload is told on seen.
type watched struct {
	t    *testing.T
	path string
	seen chan string
	hup  chan os.Signal
}

func watch(t *testing.T, path string, events bool, every time.Duration) *watched {
	t.Helper()
	x := &watched{t: t, path: path, seen: make(chan string, 100), hup: make(chan os.Signal)}
	read := func() *Sources {
		s := &Sources{}
		data, err := s.ReadFile(path)
		if err != nil {
			data = []byte("none")
		}
		x.seen <- string(data)
		return s
	}
	w := watcher{sources: read(), reload: read, lookEvery: every}
	<-x.seen
	if events {
		n, err := fsnotify.NewWatcher()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Close() })
		w.events = n
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, x.hup)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return x
}

func (x *watched) expect(want string) {
	x.t.Helper()
	select {
	case got := <-x.seen:
		if got != want {
			x.t.Fatalf("read %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		x.t.Fatalf("%q is not seen", want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchSeesEveryWayToReplaceAFile(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		events bool
		every  time.Duration
	}{"by events": {true, time.Hour}, "by looking": {false, 2 * settle}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "statuspage.yaml")
			write(t, path, "1")
			w := watch(t, path, x.events, x.every)
			write(t, path, "2")
			w.expect("2")
			for _, next := range []string{"3", "4"} { // The second time the first watch of a file would be gone.
				write(t, filepath.Join(dir, "new"), next)
				must(t, os.Rename(filepath.Join(dir, "new"), path))
				w.expect(next)
			}
			must(t, os.Remove(path))
			w.expect("none")
			write(t, path, "5")
			w.expect("5")
		})
	}
}

// TestWatchSeesLinksSwapped does as Kubernetes with a ConfigMap.
func TestWatchSeesLinksSwapped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "statuspage.yaml")
	publish := func(version, text string) {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "statuspage.yaml"), text)
		must(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
		must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	publish("..1", "1")
	must(t, os.Symlink(filepath.Join("..data", "statuspage.yaml"), path))
	w := watch(t, path, true, time.Hour)
	publish("..2", "2")
	w.expect("2")
	must(t, os.RemoveAll(filepath.Join(dir, "..1")))
	publish("..3", "3")
	w.expect("3")
	write(t, filepath.Join(dir, "..3", "statuspage.yaml"), "4") // Behind the links.
	w.expect("4")
}

func TestWatchIsSilentWithoutAChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "statuspage.yaml")
	write(t, path, "same")
	w := watch(t, path, true, 20*time.Millisecond)
	write(t, path, "same")
	write(t, filepath.Join(dir, "other"), "x")
	must(t, os.Rename(filepath.Join(dir, "other"), path+".bak"))
	w.hup <- os.Interrupt // Asked for: always.
	w.expect("same")
	write(t, path, "another")
	w.expect("another")
	if len(w.seen) != 0 {
		t.Errorf("read again: %q", <-w.seen)
	}
}

func TestWatchSeesWhatChangedBeforeItBegan(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "statuspage.yaml")
	write(t, path, "1")
	var s Sources
	if _, err := s.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, "2")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	Watch(ctx, &s, nil, slog.New(slog.DiscardHandler), func() *Sources {
		cancel()
		return &s
	})
	if t.Context().Err() != nil {
		t.Error("not seen")
	}
}

func TestKeepFileRefusesWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "statuspage.yaml")
	write(t, path, "title: A\n")
	var first Sources
	load := func(s *Sources) error {
		_, err := Load(Overrides{File: path}, func(string) string { return "" }, s.ReadFile)
		return err
	}
	must(t, load(&first))
	again := &Sources{Guard: first.KeepFile}
	write(t, path, "")
	if err := load(again); err == nil {
		t.Error("an empty file is taken")
	}
	must(t, os.Remove(path))
	if err := load(again); err == nil {
		t.Error("a missing file is taken")
	}
	write(t, path, "title: B\n")
	must(t, load(again))
}
