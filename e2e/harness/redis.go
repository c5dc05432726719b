package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Redis is a server of its own, on one port for all its lives.
type Redis struct {
	*Process // Of its present life.
	Dir      string
	address  string
	args     []string
}

// NewRedis makes one whose data is in dir, which Start starts. It keeps each write on disk, unless
// args say otherwise.
func NewRedis(dir string, args ...string) (*Redis, error) {
	address, err := FreeAddress()
	return &Redis{Dir: dir, address: address, args: args}, err
}

// URL is how to reach it.
func (r *Redis) URL() string { return "redis://" + r.address + "/0" }

// Start starts it, with the data it had, and waits until it answers.
func (r *Redis) Start(ctx context.Context) error {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return &MissingError{"Redis", "install it: apt-get install redis-server"}
	}
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return err
	}
	args := []string{"--port", port, "--bind", host, "--dir", r.Dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always"}
	if r.Process, err = Start(ctx, "", nil, path, append(args, r.args...)...); err != nil {
		return err
	}
	for until := r.Started.Add(startWait); r.Alive() && time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", r.address); err == nil {
			return conn.Close()
		}
	}
	defer r.End()
	return fmt.Errorf("start Redis: no answer; it said: %s", r.Tail())
}

// Empty removes its data; it must not run.
func (r *Redis) Empty() error {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(r.Dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
