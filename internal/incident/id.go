package incident

import (
	"crypto/rand"
	"encoding/binary"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	idTime   = 6 // Digits of the second, to base 36: enough until 2088.
	idChance = 6 // Digits of chance: 31 bits within one second.
)

// idEpoch is where the seconds of ids begin.
var idEpoch = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	idForm      = regexp.MustCompile(`^[a-z0-9]{12}$`)
	eventIDForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// NewID returns an id for an incident that is made at now: twelve letters and digits, later ones sort after
// earlier ones. It stands in addresses, mails and calendars, and is never used again.
func NewID(now time.Time) string {
	var chance [8]byte
	_, _ = rand.Read(chance[:]) // Never fails.
	seconds := max(0, now.Unix()-idEpoch.Unix())
	return digits(uint64(seconds), idTime) + digits(binary.BigEndian.Uint64(chance[:]), idChance)
}

// digits are the last n digits of a number to base 36.
func digits(v uint64, n int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = alphabet[v%36]
		v /= 36
	}
	return string(b)
}

// IsID tells whether a text has the form of an incident's id.
func IsID(text string) bool { return idForm.MatchString(text) }

// Path is where an incident or a maintenance stands below the root of the page; an update's id is its anchor there.
func Path(id string) string { return "/incidents/" + id }

// OccurrenceID names one occurrence of a series to the outside, as in calendars: it stays when the occurrence moves.
func OccurrenceID(incident, key string) string {
	if key == "" {
		return incident
	}
	return incident + "-" + strings.ToLower(key)
}

// newEventID returns an id for an event: UUIDv7, so that those of one writer sort in the order they were made.
func newEventID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}
