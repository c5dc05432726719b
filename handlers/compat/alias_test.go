package compat

import (
	"statuspage/internal/board"
	"statuspage/internal/status"
	"testing"
	"time"
)

// A README that came along names monitors by their old numbers, whatever stands at that place of the page.
func TestAliasesStandForServices(t *testing.T) {
	t.Parallel()
	services := []status.Service{
		{ID: "a", Name: "A", Interval: time.Minute, Aliases: []string{"kuma:2", "gatus:old_a"}},
		{ID: "2", Name: "B", Interval: time.Minute},
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	kuma, gatus := NewKuma(nil, b, nil, time.Now), NewGatus(b, nil, time.Now)
	if svc, ok := kuma.find("2"); !ok || svc.ID != "a" {
		t.Errorf("monitor 2 is %v", svc)
	}
	if svc, ok := kuma.find("1"); ok {
		t.Errorf("monitor 1 is %s: one that isn't there any more shows another's state", svc.ID)
	}
	for _, key := range []string{"old_a", "_a"} {
		if svc, ok := gatus.find(key); !ok || svc.ID != "a" {
			t.Errorf("endpoint %s is %v", key, svc)
		}
	}
}
