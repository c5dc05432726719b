package status

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What a duration in words of days and weeks is made of.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// MaxDuration is the longest that is read.
const MaxDuration = 100 * 365 * Day

var (
	errDuration = errors.New("not a duration: write a number with its unit, such as 500ms, 30s, 12h, 90d or 2w")
	errTooLong  = errors.New("longer than 100 years")

	// longUnits takes the weeks and days off the front.
	longUnits = regexp.MustCompile(`^(?:([0-9]{1,4})w)?(?:([0-9]{1,5})d)?(.*)$`)
	isoUnits  = regexp.MustCompile(`^P(?:([0-9]{1,3})W)?(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})S)?)?$`)
)

// ParseDuration reads Go's durations with weeks and days before them, without a sign:
//
//	duration = [ 1*4DIGIT "w" ] [ 1*5DIGIT "d" ] [ what time.ParseDuration reads ]
//
// such as 500ms, 1.5h, 90d, 1w2d or 1d12h. Weeks and days are of seven days and 24 hours, and whole;
// months and years have no fixed length. The errors say what to write, and never repeat the text.
func ParseDuration(text string) (time.Duration, error) {
	m := longUnits.FindStringSubmatch(text)
	if m == nil {
		return 0, errDuration
	}
	days := 7*number(m[1]) + number(m[2])
	if days > int(MaxDuration/Day) { // As a duration it could go over.
		return 0, errTooLong
	}
	total := time.Duration(days) * Day
	if rest := m[3]; rest != "" || text == "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || strings.HasPrefix(rest, "+") {
			return 0, errDuration
		}
		if d > MaxDuration { // Before adding, which could go over.
			return 0, errTooLong
		}
		total += d
	}
	if total > MaxDuration {
		return 0, errTooLong
	}
	return total, nil
}

// ParseISODuration reads the durations of ISO 8601 that have a fixed length:
//
//	duration = "P" [ 1*3DIGIT "W" ] [ 1*3DIGIT "D" ] [ "T" [ 1*4DIGIT "H" ] [ 1*6DIGIT "M" ] [ 1*8DIGIT "S" ] ]
//
// such as P30D, PT36H or P1DT12H, with something after P and after T.
func ParseISODuration(text string) (time.Duration, error) {
	m := isoUnits.FindStringSubmatch(text)
	if m == nil || text == "P" || strings.HasSuffix(text, "T") {
		return 0, errDuration
	}
	total := time.Duration(0)
	for i, unit := range []time.Duration{Week, Day, time.Hour, time.Minute, time.Second} {
		total += time.Duration(number(m[i+1])) * unit
	}
	return total, nil
}

// number is that of a few digits, or 0 of none.
func number(digits string) int {
	n, _ := strconv.Atoi("0" + digits) // Nothing else can be in it.
	return n
}

// FormatDuration writes the short form that ParseDuration reads.
func FormatDuration(d time.Duration) string {
	if d > 0 && d%Day == 0 {
		return strconv.FormatInt(int64(d/Day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
