package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
)

// Build builds the product as it is shipped, under a name for its version.
func Build(ctx context.Context, path, version string) error {
	if out, err := exec.CommandContext(ctx, script("build"), path, version).CombinedOutput(); err != nil {
		return fmt.Errorf("build the product: %w\n%s", err, out)
	}
	return nil
}

// Binary builds the product once for all tests of a package, and returns where it is.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "statuspage-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "statuspage")
	return path, Build(context.Background(), path, "dev")
})

// Remove removes what Binary built; TestMain calls it in the end.
func Remove() {
	if path, err := Binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // A scratch folder.
	}
}

// Product is a running product, or an agent.
type Product struct {
	*Process
	URL string // Where it listens, when Listens has found out.
}

// StartProduct runs a command that ends in the product and its arguments. Nothing but env and its
// folder tells it what to do.
func StartProduct(ctx context.Context, dir string, env []string, command ...string) (*Product, error) {
	env = append([]string{"STATUSPAGE_CONFIG=", "STATUSPAGE_DATABASE_URL="}, env...)
	p, err := Start(ctx, dir, env, command[0], command[1:]...)
	return &Product{Process: p}, err
}

var listening = regexp.MustCompile(`msg=listening url=(http://\S+)`)

// Listens tells whether the log says where.
func (p *Product) Listens() bool {
	m := listening.FindStringSubmatch(p.Log.String())
	if m != nil {
		p.URL = m[1]
	}
	return m != nil
}

// AwaitListening waits until it listens.
func (p *Product) AwaitListening() (err error) {
	p.URL, err = p.Await(listening.String())
	return err
}
