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

// verdict judges what any kind of check may have found. What it has judged by is not kept.
func verdict(c check.Check, r Result) Result {
	r = judgeAnswer(c, r)
	r.page, r.dns = nil, nil
	return r
}

func judgeAnswer(c check.Check, r Result) Result {
	switch {
	case r.Err != nil && ours(r.Err):
		r.Outcome = status.Unknown
		return r
	case r.Err != nil:
		r.Outcome, r.Reason, r.HTTPStatus = status.Down, classify(r.Err), status.NoHTTPStatus
		return r
	}
	if reason, err := unmet(c, &c.Expect, r); reason != status.None {
		r.Outcome, r.Reason, r.Err = status.Down, reason, conceal(err, c)
		return r
	}
	if reason, err := unmet(c, &c.Unless, r); reason != status.None {
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
// operator alone. How long it took comes last: what came is worth more words.
func unmet(c check.Check, want *check.Conditions, r Result) (status.Reason, error) {
	t := teller{c}
	if len(want.Status) > 0 && r.HTTPStatus != status.NoHTTPStatus && !slices.ContainsFunc(want.Status, func(s check.StatusRange) bool { return s.From <= r.HTTPStatus && r.HTTPStatus <= s.To }) {
		return status.UnexpectedStatus, fmt.Errorf("unexpected status %d", r.HTTPStatus)
	}
	if least := time.Duration(want.ValidFor); least > 0 && !r.CertificateExpiry.IsZero() && time.Until(r.CertificateExpiry) < least {
		return status.CertificateExpiring, fmt.Errorf("the certificate is good until %v, and was to be for %s", r.CertificateExpiry.UTC(), status.FormatDuration(least))
	}
	if p := r.page; p != nil {
		if text := p.unmetHeader(t, want.Header); text != "" {
			return status.UnexpectedHeader, fmt.Errorf("%s; expected was %s", text, wantedByName(want.Header))
		}
		if text := p.unmetBody(t, want.Body); text != "" {
			return status.UnexpectedBody, fmt.Errorf("%s; expected was %s", text, wanted(want.Body))
		}
		if text := p.unmetJSON(t, want.JSON); text != "" {
			return status.UnexpectedJSON, fmt.Errorf("%s; expected was %s", text, wantedByName(want.JSON))
		}
	}
	if most := want.Loss; most != nil && r.lost > *most {
		return status.PacketLoss, fmt.Errorf("%d %% of the echo requests were not answered, and %d %% was to be the most", r.lost, *most)
	}
	if a := r.dns; a != nil {
		if codes := want.RCode; len(codes) > 0 && !slices.Contains(codes, a.code) {
			return status.UnexpectedRecords, fmt.Errorf("the name server answered %s; expected was %s", a.code, strings.Join(codes, " or "))
		}
		if !a.meets(want.Records) {
			return status.UnexpectedRecords, fmt.Errorf("the records are %s; expected was %s", t.found(a.records), t.wantedRecords(want.Records))
		}
	}
	if most := time.Duration(want.Latency); most > 0 && r.Duration > most {
		return status.Slow, fmt.Errorf("took %v, and %v was to be the most", r.Duration.Round(time.Millisecond), most)
	}
	return status.None, nil
}

const (
	maxTold = 200     // Characters of what was found are told.
	maxRead = 8 << 10 // Bytes of it are looked at for that.
)

// teller tells what a target has written, which may be what it was asked.
type teller struct{ check check.Check }

// found is what somebody else has written: without secrets, and short enough for a line of a log. What is secret is taken out first: half
// of a secret is none to who looks for it.
func (t teller) found(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	text := strings.Join(texts, ", ")
	text = concealText(strings.ToValidUTF8(text[:min(len(text), maxRead)], "\uFFFD"), t.check)
	if runes := []rune(text); len(runes) > maxTold {
		return strconv.Quote(string(runes[:maxTold])) + "…"
	}
	return strconv.Quote(text)
}

func (t teller) wantedRecords(want check.Records) string {
	var all []string
	if want.None {
		all = append(all, "none")
	}
	if len(want.Any) > 0 {
		all = append(all, "one of "+t.found(want.Any))
	}
	if len(want.Exactly) > 0 {
		all = append(all, "exactly "+t.found(want.Exactly))
	}
	return strings.Join(all, " and ")
}
