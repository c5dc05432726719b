// Package harness runs the product, and what stands beside it, as processes of their own: the
// binary, built once, and a real QuestDB.
package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Binary builds the product once for all tests of a package, and returns where it is.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "statuspage-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "statuspage")
	cmd := exec.Command(filepath.Join(root(), "scripts", "build"), path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// Remove removes what Binary built; TestMain calls it in the end.
func Remove() {
	if path, err := Binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // A scratch folder.
	}
}

// root is the folder of the module.
func root() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}

// Missing skips a test for want of something, loudly, or fails it where nothing may be skipped.
func Missing(t *testing.T, what, remedy string) {
	t.Helper()
	text := "NOT TESTED: " + what + " is missing; " + remedy
	if os.Getenv("REQUIRE_ALL") == "1" || os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, t.Name()+": "+text)
	t.Skip(text)
}

// WaitFor polls until something holds, and says what did not.
func WaitFor(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// Output is what a process says, or a stream.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Record is a signal as /signals tells it, and as a store has it.
type Record struct {
	URL        string  `json:"url"`
	HTTPStatus int     `json:"http_status"`
	Available  bool    `json:"available"`
	Received   string  `json:"received"`
	Service    string  `json:"service"`
	Outcome    string  `json:"outcome"`
	DurationMs float64 `json:"duration_ms"`
	Reason     string  `json:"reason"`
}
