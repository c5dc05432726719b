package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"statuspage/internal/status"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDiskThatRefusesIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		tries := 0
		l, err := openLate(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), func(context.Context) (*int, error) {
			if tries++; tries < 4 {
				return nil, fmt.Errorf("make room: %w", syscall.ENOSPC)
			}
			return &tries, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.now(); got != nil || !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("before: %v, %v", got, err)
		}
		time.Sleep(reopenMin + 2*reopenMin + 4*reopenMin) // Of the bubble: the pauses before the tries that follow.
		synctest.Wait()
		if got, err := l.now(); got == nil || err != nil {
			t.Errorf("after %d tries: %v", tries, err)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines in the log, want one at each end:\n%s", n, log.String())
		}
		if l.end() == nil {
			t.Error("nothing to close")
		}
	})
}

func TestLateEndsWhileTheDiskRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := openLate(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) (*int, error) { return nil, syscall.EROFS })
		if err != nil || l.end() != nil {
			t.Errorf("%v", err)
		}
	})
}

func TestMistakesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	for _, mistake := range []error{syscall.EACCES, syscall.ENOENT, syscall.EISDIR, status.ErrInvalid} {
		if _, err := openLate(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) (*int, error) { return nil, mistake }); !errors.Is(err, mistake) {
			t.Errorf("%v: %v", mistake, err)
		}
	}
}
