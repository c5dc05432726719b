package status

import (
	"slices"
	"strings"
	"time"
)

// Outage is a time for which a service was found down, derived from its signals: from the
// first measurement that failed to the first that found it available again.
type Outage struct {
	Service    string
	Begin      time.Time // Of the first failed measurement.
	Last       time.Time // Of the newest failed one.
	End        time.Time // Zero while it goes on.
	Lapsed     bool      // At End nobody had measured on: when the service came back is not known.
	Reason     Reason    // Of the first failed measurement, as HTTPStatus.
	HTTPStatus int
	Failures   int      // Failed measurements.
	Regions    []string // From which it was found down; empty with a single region.
}

// outageIDFormat is that of the instant in an outage's id.
const outageIDFormat = "20060102T150405Z"

// ID names the outage in addresses: the service and the first failed measurement.
func (o Outage) ID() string { return o.Service + "-" + o.Begin.UTC().Format(outageIDFormat) }

// ParseOutageID reads the service and the second in which the outage began.
func ParseOutageID(id string) (service string, begin time.Time, ok bool) {
	at := strings.LastIndexByte(id, '-')
	if at < 0 {
		return "", time.Time{}, false
	}
	begin, err := time.Parse(outageIDFormat, id[at+1:])
	return id[:at], begin, err == nil
}

// Ongoing tells whether the outage has not ended.
func (o Outage) Ongoing() bool { return o.End.IsZero() }

// Duration is how long the outage took, or has taken until now.
func (o Outage) Duration(now time.Time) time.Duration {
	if o.Ongoing() {
		return max(0, now.Sub(o.Begin))
	}
	return o.End.Sub(o.Begin)
}

// Settled is the outage as it stands at now: one that nobody has measured on for too long
// has lapsed.
func (o Outage) Settled(svc Service, now time.Time) Outage {
	if o.Ongoing() && now.Sub(o.Last) > svc.HoldsAt(o.Last) {
		o.End, o.Lapsed = o.Last.Add(svc.IntervalAt(o.Last)), true
	}
	return o
}

// Failed takes a failed measurement, newer than all before, into a service's outages
// (oldest first), of which at most limit are kept.
func Failed(outages []Outage, s Sample, region string, svc Service, limit int) []Outage {
	at := s.Time()
	if n := len(outages); n > 0 {
		o := &outages[n-1]
		*o = o.Settled(svc, at)
		if o.Ongoing() {
			o.Last = at
			o.Failures++
			o.addRegion(region)
			return outages
		}
	}
	o := Outage{Service: svc.ID, Begin: at, Last: at, Reason: s.Reason, HTTPStatus: int(s.HTTPStatus), Failures: 1}
	o.addRegion(region)
	if outages = append(outages, o); len(outages) > limit {
		outages = slices.Delete(outages, 0, len(outages)-limit)
	}
	return outages
}

// FailedAlso is Failed for a measurement that several regions failed, once for each.
func FailedAlso(outages []Outage, s Sample, region string, svc Service, limit int) []Outage {
	if n := len(outages); n > 0 && outages[n-1].Last.Equal(s.Time()) {
		outages[n-1].addRegion(region)
		return outages
	}
	return Failed(outages, s, region, svc, limit)
}

// Recovered takes a measurement that found the service available, newer than all before,
// into its outages.
func Recovered(outages []Outage, s Sample, svc Service) {
	if n := len(outages); n > 0 && outages[n-1].Ongoing() {
		o := &outages[n-1]
		if *o = o.Settled(svc, s.Time()); o.Ongoing() {
			o.End = s.Time()
		}
	}
}

func (o *Outage) addRegion(region string) {
	if region != "" && !slices.Contains(o.Regions, region) {
		o.Regions = append(slices.Clone(o.Regions), region)
	}
}
