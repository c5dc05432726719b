package main

import (
	"statuspage/internal/status"
	"testing"
	"time"
)

func TestCountOfPlannedRuns(t *testing.T) {
	svc := status.Service{ID: "svc-00001", Interval: 10 * time.Second}
	first := svc.Next(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	at := func(slot int, late time.Duration) [2]int64 {
		us := first.Add(time.Duration(slot)*svc.Interval + late).UnixMicro()
		return [2]int64{us, us}
	}
	// The first run is punctual, the second late and not stored, the third comes with the fourth.
	seen := map[string][][2]int64{svc.ID: {at(0, 2*time.Millisecond), at(1, 40*time.Millisecond), at(3, -time.Second), at(3, time.Millisecond)}}
	got := count([]status.Service{svc}, first, first.Add(4*svc.Interval), seen, func(id string, slot time.Time) bool {
		return id == svc.ID && slot.Equal(first)
	})
	if got.planned != 4 || got.asked != 3 || got.stored != 1 {
		t.Errorf("%d planned, %d asked, %d stored, want 4, 3 and 1", got.planned, got.asked, got.stored)
	}
	if len(got.late) != 3 || got.late[0] != 1 || got.late[2] != 40 {
		t.Errorf("late by %v ms, want 1, 2 and 40", got.late)
	}
}
