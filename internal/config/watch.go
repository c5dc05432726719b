package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	settle    = 200 * time.Millisecond // Of silence, so that a file is read when it has been written.
	settleMax = 2 * time.Second        // Not longer, in a folder where something happens all the time.
	lookEvery = 10 * time.Second       // Mounted single files and network file systems send no events.
)

// Sources reads the files of a configuration, and remembers what they held. The zero value
// is ready.
type Sources struct {
	// Guard refuses what is read, when it is there.
	Guard func(name string, data []byte, err error) error

	mu   sync.Mutex
	held map[string]content
}

// content is what a file held: its hash, or that it could not be read.
type content struct {
	sum   [sha256.Size]byte
	there bool
}

func contentOf(data []byte, err error) content {
	if err != nil {
		return content{}
	}
	return content{sha256.Sum256(data), true}
}

// ReadFile is os.ReadFile, for Load. Pipes and devices are read and not remembered: they
// can't be read twice.
func (s *Sources) ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	lasting := err != nil || info.Mode().IsRegular()
	data, err := os.ReadFile(name)
	if lasting {
		s.mu.Lock()
		if s.held == nil {
			s.held = make(map[string]content)
		}
		s.held[name] = contentOf(data, err)
		s.mu.Unlock()
	}
	if s.Guard != nil {
		if err := s.Guard(name, data, err); err != nil {
			return nil, err
		}
	}
	return data, err //nolint:wrapcheck // Load says where it came from.
}

// Held tells whether the file was there.
func (s *Sources) Held(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[name].there
}

// Changed tells whether a file holds something else than was read.
func (s *Sources) Changed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, was := range s.held {
		if contentOf(os.ReadFile(name)) != was {
			return true
		}
	}
	return false
}

// names lists the files, sorted.
func (s *Sources) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.held))
}

// KeepFile refuses, in a Guard, a file that was there before and is gone or empty: it is being written.
func (s *Sources) KeepFile(name string, data []byte, err error) error {
	switch {
	case !s.Held(name):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is gone: write it again, or stop the process", name)
	case err == nil && len(data) == 0:
		return fmt.Errorf("%s:1:1: the file is empty: write the settings again, or stop the process", name)
	}
	return nil
}

// Watch calls reload when the files hold something else than the sources read, soon after they were
// written, and always when something comes from asked. Reload returns the sources that count from
// then on. Watch returns when ctx ends.
func Watch(ctx context.Context, s *Sources, asked <-chan os.Signal, log *slog.Logger, reload func() *Sources) {
	w := watcher{sources: s, reload: reload, lookEvery: lookEvery}
	events, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("changes of the configuration are seen late", "within", lookEvery, "error", err)
	} else {
		defer events.Close() //nolint:errcheck // Nothing was written.
		w.events = events
	}
	w.run(ctx, asked)
}

type watcher struct {
	sources   *Sources
	reload    func() *Sources
	events    *fsnotify.Watcher // Nil where there are none.
	lookEvery time.Duration
}

func (w *watcher) run(ctx context.Context, asked <-chan os.Signal) {
	w.follow()
	look := time.NewTicker(w.lookEvery)
	defer look.Stop()
	quiet := time.NewTimer(settle) // The first look is for what changed before we watched.
	defer quiet.Stop()
	var (
		since  time.Time // Of the first event that waits.
		happen chan fsnotify.Event
		failed chan error
	)
	if w.events != nil {
		happen, failed = w.events.Events, w.events.Errors
	}
	wait := func() {
		if since.IsZero() {
			since = time.Now()
		}
		quiet.Reset(min(settle, max(0, time.Until(since.Add(settleMax)))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			w.sources = w.reload()
			w.follow()
			wait() // Something may have changed before the folders were followed.
		case e := <-happen:
			if w.concerns(e) {
				wait()
			}
		case <-failed: //nolint:errcheck // Such as too many events at once.
			wait()
		case <-look.C:
			w.follow() // A folder may have been replaced.
			if w.sources.Changed() {
				wait()
			}
		case <-quiet.C:
			since = time.Time{}
			if w.sources.Changed() {
				w.sources = w.reload()
				w.follow()
				wait()
			}
		}
	}
}

// concerns tells whether a file of ours may hold something else now. In the same folder others
// may be written all the time; but links to ours are made and renamed under any name.
func (w *watcher) concerns(e fsnotify.Event) bool {
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		return true
	}
	return slices.ContainsFunc(w.sources.names(), func(name string) bool {
		return filepath.Base(name) == filepath.Base(e.Name) || real(name) == real(e.Name)
	})
}

// real is the path behind links, or the path.
func real(name string) string {
	if path, err := filepath.EvalSymlinks(name); err == nil {
		name = path
	}
	return filepath.Clean(name)
}

// follow watches the folders of the files, and those behind links. A watch of the file itself
// would end with the first atomic replace.
func (w *watcher) follow() {
	if w.events == nil {
		return
	}
	want := map[string]bool{}
	for _, name := range w.sources.names() {
		want[filepath.Dir(name)] = true
		want[filepath.Dir(real(name))] = true
	}
	for _, dir := range w.events.WatchList() {
		if !want[dir] {
			_ = w.events.Remove(dir) // It may be gone.
		}
	}
	for dir := range want {
		_ = w.events.Add(dir) // A folder that is not there is looked at now and then.
	}
}
