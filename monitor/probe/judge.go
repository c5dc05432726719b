package probe

import (
	"fmt"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// verdict judges what any kind of check may have found.
func verdict(c check.Check, r Result) Result {
	switch {
	case r.Err != nil && ours(r.Err):
		r.Outcome = status.Unknown
		return r
	case r.Err != nil:
		r.Outcome, r.Reason, r.HTTPStatus = status.Down, classify(r.Err), status.NoHTTPStatus
		return r
	}
	if reason, err := unmet(&c.Expect, r); reason != status.None {
		r.Outcome, r.Reason, r.Err = status.Down, reason, conceal(err, c)
		return r
	}
	if reason, err := unmet(&c.Unless, r); reason != status.None {
		r.Outcome, r.Reason, r.Err = status.Degraded, reason, conceal(err, c)
		return r
	}
	r.Outcome = status.Up
	if c.DegradedAfter > 0 && r.Duration > c.DegradedAfter {
		r.Outcome, r.Reason = status.Degraded, status.Slow
	}
	return r
}

// unmet finds the first of the conditions that an answer does not meet, and what was wanted and found: that is for the
// operator alone.
func unmet(want *check.Conditions, r Result) (status.Reason, error) {
	if most := time.Duration(want.Latency); most > 0 && r.Duration > most {
		return status.Slow, fmt.Errorf("took %v, and %v was to be the most", r.Duration.Round(time.Millisecond), most)
	}
	if least := time.Duration(want.ValidFor); least > 0 && !r.CertificateExpiry.IsZero() && time.Until(r.CertificateExpiry) < least {
		return status.CertificateExpiring, fmt.Errorf("the certificate is good until %v, and was to be for %s", r.CertificateExpiry.UTC(), status.FormatDuration(least))
	}
	if most := want.Loss; most != nil && r.lost > *most {
		return status.PacketLoss, fmt.Errorf("%d %% of the echo requests were not answered, and %d %% was to be the most", r.lost, *most)
	}
	if a := r.dns; a != nil {
		if codes := want.RCode; len(codes) > 0 && !slices.Contains(codes, a.code) {
			return status.UnexpectedRecords, fmt.Errorf("the name server answered %s, and was to answer %s", a.code, strings.Join(codes, " or "))
		}
		if !a.meets(want.Records) {
			return status.UnexpectedRecords, fmt.Errorf("the records are %s, and were to be %s", found(a.records), wantedRecords(want.Records))
		}
	}
	return status.None, nil
}

// maxTold is how many characters of what was found are told.
const maxTold = 200

// found is what somebody else has written, short enough for a line of a log.
func found(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	text := strings.ToValidUTF8(strings.Join(texts, ", "), "\uFFFD")
	if runes := []rune(text); len(runes) > maxTold {
		return strconv.Quote(string(runes[:maxTold])) + "…"
	}
	return strconv.Quote(text)
}

func wantedRecords(want check.Records) string {
	var all []string
	if want.None {
		all = append(all, "none")
	}
	if len(want.Any) > 0 {
		all = append(all, "one of "+found(want.Any))
	}
	if len(want.Exactly) > 0 {
		all = append(all, "exactly "+found(want.Exactly))
	}
	return strings.Join(all, " and ")
}
