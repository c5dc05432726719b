package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// nobody has no rights on any machine; PostgreSQL refuses to run as root.
const nobody = 65534

// Postgres is a server of its own, on one port for all its lives.
type Postgres struct {
	*Process // Of its present life.
	Dir      string
	address  string
	bin      string
	user     *syscall.Credential // Nil: this one.
}

// NewPostgres makes a server with an empty cluster in a folder of its own, which Remove removes.
func NewPostgres(ctx context.Context) (*Postgres, error) {
	p := &Postgres{bin: postgresBin()}
	if p.bin == "" {
		return nil, &MissingError{"PostgreSQL", "install it: apt-get install postgresql"}
	}
	var err error
	if p.address, err = FreeAddress(); err != nil {
		return nil, err
	}
	if p.Dir, err = os.MkdirTemp("", "statuspage-postgres-"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		p.user = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(p.Dir, nobody, nobody); err != nil {
			return nil, err
		}
	}
	made, err := startAs(ctx, p.user, p.Dir, nil, filepath.Join(p.bin, "initdb"), "-D", filepath.Join(p.Dir, "data"), "-U", "statuspage", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
	if err != nil {
		return nil, err
	}
	if <-made.Ended; made.Err != nil {
		return nil, fmt.Errorf("initdb: %s", made.Tail())
	}
	return p, nil
}

// postgresBin is where its programs are, empty when they are missing. Debian keeps them out of PATH.
func postgresBin() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // The pattern is right.
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// URL is how to reach one of its databases.
func (p *Postgres) URL(database string) string {
	return "postgres://statuspage@" + p.address + "/" + database + "?sslmode=disable"
}

// Start starts it, with the data it had, and waits until it answers.
func (p *Postgres) Start(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return err
	}
	if p.Process, err = startAs(ctx, p.user, p.Dir, nil, filepath.Join(p.bin, "postgres"), "-D", filepath.Join(p.Dir, "data"), "-h", host, "-p", port, "-k", p.Dir, "-c", "fsync=off", "-c", "shared_buffers=16MB"); err != nil {
		return err
	}
	if _, err := p.Await(`(database system is ready)`); err != nil {
		p.End()
		return err
	}
	return nil
}

// Remove ends it and removes its data.
func (p *Postgres) Remove() {
	if p.Process != nil {
		if p.Alive() { // A fast shutdown, whoever is connected.
			_ = p.Signal(syscall.SIGINT)
		}
		select {
		case <-p.Ended:
		case <-time.After(stopWait):
			p.Kill()
		}
	}
	_ = os.RemoveAll(p.Dir) // A scratch folder.
}

// LaunchPostgres runs one that ends with the test.
func LaunchPostgres(t testing.TB) *Postgres {
	t.Helper()
	p, err := NewPostgres(context.Background())
	Must(t, err)
	t.Cleanup(p.Remove)
	Must(t, p.Start(context.Background()))
	return p
}
