package incident

import (
	"errors"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/teambition/rrule-go"
)

const (
	// maxWindow bounds one maintenance, and how far an occurrence may move.
	maxWindow = 31 * 24 * time.Hour
	maxCount  = 1000 // Of a rule's COUNT and INTERVAL, and of what is expanded at once.
	// earliest bounds the walk from the first occurrence to those that are asked for.
	earliest, latest = 2000, 2200
)

// ruleParts are what a rule may have: a day at the finest. A rule by the second takes seconds of CPU.
var ruleParts = []string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}

var frequencies = []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}

// Schedule is when a maintenance is: a time on the wall of a zone, how long, and how it comes again.
type Schedule struct {
	Start   string   `json:"start"` // 2006-01-02T15:04 on the wall.
	Minutes int      `json:"minutes"`
	Zone    string   `json:"zone"`             // IANA.
	Rule    string   `json:"rrule,omitempty"`  // RFC 5545, at most once a day; empty for once.
	Except  []string `json:"except,omitempty"` // Starts that the rule has, and that are left out.

	ManualStart bool  `json:"manual_start,omitempty"` // Begins only when somebody says so.
	ManualEnd   bool  `json:"manual_end,omitempty"`   // Goes on until somebody says that it is over.
	Remind      []int `json:"remind,omitempty"`       // Minutes before the start at which subscribers are reminded.
	TellStart   bool  `json:"tell_start,omitempty"`
	TellEnd     bool  `json:"tell_end,omitempty"`
}

// slot is one planned occurrence.
type slot struct {
	key        string // Its start on the wall; empty for a schedule that doesn't come again.
	start, end time.Time
}

// parts are what a schedule's texts mean.
type parts struct {
	wall time.Time // As UTC.
	loc  *time.Location
	rule *rrule.ROption // Over walls as UTC; nil for once.
}

func (s Schedule) parts() (p parts, field string, err error) {
	if p.wall, err = time.Parse(WallFormat, s.Start); err != nil || p.wall.Year() < earliest || p.wall.Year() > latest {
		return p, "start", fmt.Errorf("start %q: want a time such as 2026-12-01T03:00: %w", s.Start, status.ErrInvalid)
	}
	if p.loc, err = location(s.Zone); err != nil {
		return p, "zone", fmt.Errorf("zone %q: want one such as Europe/Berlin: %w", s.Zone, status.ErrInvalid)
	}
	if s.Minutes < 1 || s.length() > maxWindow {
		return p, "minutes", fmt.Errorf("%d minutes: want 1 to %d: %w", s.Minutes, maxWindow/time.Minute, status.ErrInvalid)
	}
	if s.Rule != "" {
		if p.rule, err = ruleOf(s.Rule, p.wall, p.loc); err != nil {
			return p, "rrule", fmt.Errorf("rule %q: %w: %w", s.Rule, err, status.ErrInvalid)
		}
	}
	return p, "", nil
}

// locations keeps zones: reading one takes longer than all else here.
var locations sync.Map

func location(name string) (*time.Location, error) {
	if loc, is := locations.Load(name); is {
		return loc.(*time.Location), nil
	}
	if name == "" || name == "Local" { // That of the server is not the same on each.
		return nil, status.ErrInvalid
	}
	loc, err := time.LoadLocation(name)
	if err == nil {
		locations.Store(name, loc) // As many as there are zones.
	}
	return loc, err
}

func (s Schedule) length() time.Duration { return time.Duration(s.Minutes) * time.Minute }

func ruleOf(text string, start time.Time, loc *time.Location) (*rrule.ROption, error) {
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "RRULE:")
	if len(text) > 300 {
		return nil, errors.New("longer than 300 letters")
	}
	var kept []string
	var until time.Time
	var seen []string
	for part := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(part, "=")
		if !slices.Contains(ruleParts, key) || value == "" {
			return nil, fmt.Errorf("want parts of %s", strings.Join(ruleParts, ", "))
		}
		if slices.Contains(seen, key) {
			return nil, fmt.Errorf("%s twice", key)
		}
		seen = append(seen, key)
		switch key {
		case "FREQ":
			if !slices.Contains(frequencies, value) {
				return nil, fmt.Errorf("want FREQ of %s", strings.Join(frequencies, ", "))
			}
		case "COUNT", "INTERVAL":
			if n, err := strconv.Atoi(value); err != nil || n < 1 || n > maxCount {
				return nil, fmt.Errorf("want %s of 1 to %d", key, maxCount)
			}
		case "UNTIL":
			var err error
			if until, err = untilOf(value, loc); err != nil {
				return nil, err
			}
			continue
		}
		kept = append(kept, part)
	}
	option, err := rrule.StrToROption(strings.Join(kept, ";"))
	if err != nil {
		return nil, err
	}
	if option.Count > 0 && !until.IsZero() {
		return nil, errors.New("COUNT and UNTIL together")
	}
	option.Dtstart, option.Until = start, until
	if err := bearable(option, seen); err != nil {
		return nil, err
	}
	_, err = rrule.NewRRule(*option)
	return option, err
}

// bearable refuses what the library panics at (a tenth Saturday of a month), and what never happens and takes it a second
// to find out: it looks at each day until the year 9999.
func bearable(o *rrule.ROption, parts []string) error {
	monthly := o.Freq == rrule.MONTHLY || o.Freq == rrule.YEARLY
	if !monthly && (slices.Contains(parts, "BYMONTHDAY") || slices.Contains(parts, "BYSETPOS")) {
		return errors.New("want BYMONTHDAY and BYSETPOS with FREQ of MONTHLY or YEARLY only")
	}
	for _, day := range o.Byweekday {
		if n := day.N(); n != 0 && !monthly || n < -5 || n > 5 {
			return errors.New("want BYDAY such as MO, or, with FREQ of MONTHLY or YEARLY, 1MO to 5MO and -1MO to -5MO")
		}
	}
	return nil
}

// untilOf reads an end as a time on the wall: a day counts whole, and one in UTC is what the wall shows then.
func untilOf(value string, loc *time.Location) (time.Time, error) {
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return wallOf(t, loc), nil
	}
	if t, err := time.Parse("20060102T150405", value); err == nil {
		return t, nil
	}
	t, err := time.Parse("20060102", value)
	if err != nil {
		return t, errors.New("want UNTIL such as 20271231 or 20271231T235959Z")
	}
	return t.Add(24*time.Hour - time.Second), nil
}

// expand returns the occurrences that overlap [from, to), oldest first, at most maxCount. A schedule that nobody can
// read has none.
func (s Schedule) expand(from, to time.Time) []slot {
	p, _, err := s.parts()
	if err != nil {
		return nil
	}
	return p.expand(s, from, to)
}

func (p parts) expand(s Schedule, from, to time.Time) (all []slot) {
	if p.rule == nil {
		one := slot{start: instantOf(p.wall, p.loc)}
		one.end = one.start.Add(s.length())
		if one.end.After(from) && one.start.Before(to) {
			return []slot{one}
		}
		return nil
	}
	defer func() {
		if recover() != nil { // The library's: no rule in a store may end the process.
			all = nil
		}
	}()
	rule, err := rrule.NewRRule(*p.rule) // Walking one writes to it.
	if err != nil {
		return nil
	}
	next := rule.Iterator()
	after, before := wallOf(from, p.loc).Add(-s.length()-around), wallOf(to, p.loc).Add(around)
	for wall, more := next(); more && wall.Before(before) && len(all) < maxCount; wall, more = next() {
		if wall.Before(after) || slices.Contains(s.Except, wall.Format(WallFormat)) {
			continue
		}
		one := slot{key: wall.Format(keyFormat), start: instantOf(wall, p.loc)}
		one.end = one.start.Add(s.length())
		// A day that a zone leaves out would put two at one instant.
		if n := len(all); n > 0 && !one.start.After(all[n-1].start) {
			all[n-1] = one
			continue
		}
		all = append(all, one)
	}
	return slices.DeleteFunc(all, func(o slot) bool { return !o.end.After(from) || !o.start.Before(to) })
}
