package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// Must ends a test that an error came in the way of. For want of something the test is skipped,
// loudly, or fails where nothing may be skipped.
func Must(t testing.TB, err error) {
	t.Helper()
	if missing, is := errors.AsType[*MissingError](err); is {
		Missing(t, missing.What, missing.Remedy)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Missing is Must for want of something.
func Missing(t testing.TB, what, remedy string) {
	t.Helper()
	text := "NOT TESTED: " + (&MissingError{what, remedy}).Error()
	if os.Getenv("REQUIRE_ALL") == "1" || os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, t.Name()+": "+text)
	t.Skip(text)
}

// WaitFor polls until something holds, and says what did not.
func WaitFor(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// Launched is a product that ends with its test.
type Launched struct {
	*Product
	T *testing.T
}

// Launch runs the binary in dir with more in its environment.
func Launch(t *testing.T, dir string, env []string, args ...string) *Launched {
	t.Helper()
	return LaunchUnder(t, nil, dir, env, args...)
}

// LaunchUnder is Launch with a command before the binary, which it gets as its last arguments.
func LaunchUnder(t *testing.T, command []string, dir string, env []string, args ...string) *Launched {
	t.Helper()
	path, err := Binary()
	Must(t, err)
	p, err := StartProduct(context.Background(), dir, env, slices.Concat(command, []string{path}, args)...)
	Must(t, err)
	t.Cleanup(p.Kill)
	return &Launched{p, t}
}

// Stop ends it as an operator would, and returns how long that took.
func (p *Launched) Stop(patience time.Duration) time.Duration {
	p.T.Helper()
	began := time.Now()
	if err := p.Product.Stop(patience); err != nil {
		p.T.Errorf("after SIGTERM: %v", err)
	}
	return time.Since(began)
}

// LaunchRedis runs a Redis that ends with the test.
func LaunchRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	r, err := NewRedis(t.TempDir(), args...)
	Must(t, err)
	Must(t, r.Start(context.Background()))
	t.Cleanup(func() { r.Kill() }) // Its last life.
	return r
}

// LaunchQuestDB runs a QuestDB, with more in its environment, that ends with the test.
func LaunchQuestDB(t testing.TB, env ...string) *QuestDB {
	t.Helper()
	q := &QuestDB{Dir: t.TempDir(), Env: env}
	t.Cleanup(func() { Must(t, q.Stop()) })
	Must(t, q.Start(context.Background()))
	return q
}

// LaunchProxy makes a proxy that is away, and ends with the test.
func LaunchProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := NewProxy(target)
	Must(t, err)
	t.Cleanup(func() { p.Close(); p.Wait() })
	return p
}
