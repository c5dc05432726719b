package outpost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"statuspage/internal/agent"
	"statuspage/internal/check"
)

func (o *outpost) checksFile() string { return o.Outbox + ".checks.json" }

// remembered is the checks that were measured last.
func (o *outpost) remembered() []check.Check {
	_ = os.Chmod(o.checksFile(), 0o600) // Whoever left it wider: checks hold secrets. There may be none.
	body, err := os.ReadFile(o.checksFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var (
		checks  []check.Check
		unknown []string
	)
	if err == nil {
		_, checks, unknown, err = agent.DecodeChecks(body)
	}
	if len(unknown) > 0 {
		o.Log.Error("checks of before that this version can't measure; they are no data in this region until the agent is updated", "services", len(unknown), "first", unknown[0])
	}
	if err != nil {
		o.Log.Warn("the checks of before can't be read; nothing is measured until the server is reached", "file", o.checksFile(), "error", err)
	}
	return checks
}

// writePrivate replaces a file that only we may read: checks hold secrets.
func writePrivate(name string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // Mode 0600.
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // After the rename there is none.
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
