package notify

import (
	"statuspage/internal/board"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"time"
)

const (
	// flapSlots is how many of the last slots tell whether a service flaps, flapping how many changes in them are more than
	// an outage and its end, and calm how many it has afterwards.
	flapSlots = 20
	flapping  = 4
	calm      = 1

	// CertificateLeft is how long before its end a certificate is trouble.
	CertificateLeft = 14 * 24 * time.Hour
)

// verdict is what the last slots say of one kind of trouble.
type verdict struct {
	bad, good int // In a row, up to the newest; one of them is 0.
	changes   int // In the last flapSlots.
	since     time.Time
	until     time.Time // The first good slot after it.
	reason    string
	holds     time.Time // Until when it tells the present.
}

// judge reads the last slots of a service, at least window of them. It is not known while nobody has measured for
// longer than a run may take; and what was before such a gap counts no more.
func judge(svc *board.Service, kind string, window int, now time.Time) (v verdict, known bool) {
	if kind == channel.Certificate {
		return judgeCertificate(svc, now)
	}
	if svc.State(now) == status.Unknown {
		return v, false
	}
	all, of := svc.Recent(max(window, flapSlots)+1), svc.Known()
	if n := len(all); n > 1 && len(of.Regions) > 0 && all[n-1].Outcome != status.Down && now.Sub(all[n-1].Time()) < of.Timeout {
		all = all[:n-1] // Some of its regions may not have spoken yet.
	}
	for i := len(all) - 1; i >= 0; i-- {
		if i < len(all)-1 && all[i+1].Time().Sub(all[i].Time()) > of.HoldsAt(all[i].Time()) {
			break
		}
		at := all[i]
		switch {
		case isBad(kind, at.Outcome) && v.good == 0:
			v.bad, v.since = v.bad+1, at.Time()
			v.reason = at.Reason.Text()
		case isGood(kind, at.Outcome) && v.bad == 0:
			v.good, v.until = v.good+1, at.Time()
		default:
			i = 0 // The rest is of before.
		}
	}
	v.holds = all[len(all)-1].Time().Add(of.HoldsAt(all[len(all)-1].Time()))
	last := all[max(0, len(all)-flapSlots):]
	for i := 1; i < len(last); i++ {
		if isBad(kind, last[i].Outcome) != isBad(kind, last[i-1].Outcome) {
			v.changes++
		}
	}
	return v, true
}

func isBad(kind string, o status.Outcome) bool {
	return kind == channel.Down && o == status.Down || kind == channel.Slow && o == status.Degraded
}

func isGood(kind string, o status.Outcome) bool {
	return kind == channel.Down && o.Available() || kind == channel.Slow && o == status.Up
}

// many is more slots than a rule may ask for.
const many = 1 << 20

func judgeCertificate(svc *board.Service, now time.Time) (v verdict, known bool) {
	expiry := svc.Certificate()
	switch {
	case expiry.IsZero():
		return v, false
	case expiry.Sub(now) < CertificateLeft:
		return verdict{bad: many, since: expiry.Add(-CertificateLeft), holds: now.Add(2 * longestWait)}, true
	default:
		return verdict{good: many, until: now, holds: now.Add(2 * longestWait)}, true
	}
}
