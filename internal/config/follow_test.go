package config

import (
	"reflect"
	"slices"
	"statuspage/internal/check"
	"testing"
	"time"
)

// TestEverySettingIsDecided fails for a field of which nobody has said whether a running process takes it over.
func TestEverySettingIsDecided(t *testing.T) {
	t.Parallel()
	var c Config
	v := reflect.ValueOf(&c).Elem()
	decided := map[any]int{}
	for _, s := range settings {
		decided[s.field(&c)]++
	}
	for i := range v.NumField() {
		if n := decided[v.Field(i).Addr().Interface()]; n != 1 {
			t.Errorf("%s stands %d times among the settings, want once", v.Type().Field(i).Name, n)
		}
	}
	if len(settings) != v.NumField() {
		t.Errorf("%d settings of %d fields", len(settings), v.NumField())
	}
}

// TestFollowKeepsWhatCountsAfterARestart has some of both kinds change.
func TestFollowKeepsWhatCountsAfterARestart(t *testing.T) {
	t.Parallel()
	running := &Config{Title: "Before", Listen: ":1", MaxViewers: 1, Retention: time.Hour, Timezone: time.UTC, Checks: []check.Check{{Target: "http://a"}}}
	next := &Config{Title: "After", Listen: ":2", MaxViewers: 2, Retention: time.Hour, Timezone: time.Local, Guard: &Guard{}, Checks: []check.Check{{Target: "http://b"}}}
	if got, want := next.Follow(running), []string{"listen", "max_viewers", "guard"}; !slices.Equal(got, want) {
		t.Errorf("these wait for a restart: %v, want %v", got, want)
	}
	want := &Config{Title: "After", Listen: ":1", MaxViewers: 1, Retention: time.Hour, Timezone: time.Local, Checks: []check.Check{{Target: "http://b"}}}
	if !reflect.DeepEqual(next, want) {
		t.Errorf("what runs then: %+v, want %+v", next, want)
	}
	if got := next.Follow(running); len(got) > 0 {
		t.Errorf("the second time %v wait for a restart", got)
	}
}
