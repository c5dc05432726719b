// Package check says how a service is measured: the service, where it is asked, and one struct of settings for each kind of
// check. All that a kind is stands in its file and in one table, which configuration, agents, documentation and tests walk.
// A Check holds secrets (userinfo, headers), so it goes to the prober and to agents only, never to the board or the views.
package check

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"statuspage/internal/status"
	"strings"
	"time"
)

// Check is how one service is measured.
type Check struct {
	status.Service

	Target        string        // The address as configured, userinfo included.
	DegradedAfter time.Duration // Slower than this is Degraded; 0 for never.
	Retries       int           // Attempts after one that found it down, within the Timeout of the service.
	RetryAfter    time.Duration // Between them.
	Expect        Conditions    // Down is what does not meet them,
	Unless        Conditions    // and Degraded what does not meet these.
	How           How           // A *HTTP, say: what its kind has of its own. It is shared by copies of the Check, and never changed.
}

// How is the settings that one kind of check has of its own: the struct of the kind, by its pointer.
type How interface {
	kind() string // Its name in the table.
	clone() How
	valid() error      // Of all settings together, and of what came over a wire, where no Key has looked at it.
	secrets() []string // What is sent and nobody may read, beside what the address has.
}

// Kind is that of the check. One without settings has a Kind without a name, which nobody measures.
func (c Check) Kind() *Kind {
	if c.How == nil {
		return &Kind{}
	}
	return named(c.How.kind())
}

// Needs names what whoever measures the check must know. What a kind learns later gets words of its own
// beside its name, so that nobody overlooks an expectation and finds the service up.
func (c Check) Needs() []string {
	words := append([]string{c.Kind().Name}, append(c.Expect.words(), c.Unless.words()...)...)
	if c.Retries > 0 {
		words = append(words, retries)
	}
	slices.Sort(words[1:])
	return slices.Compact(words)
}

// retries is the word of who tries again.
const retries = "retries"

// Secrets lists what the check sends and nobody may read.
func (c Check) Secrets() (all []string) {
	if c.How != nil {
		all = c.How.secrets()
	}
	target, err := url.Parse(c.Target)
	if err != nil {
		return all
	}
	if _, plain := c.How.(*DNS); plain {
		return all // What stands in its query is a type.
	}
	if target.User != nil {
		name := target.User.Username()
		password, has := target.User.Password()
		if all = append(all, password); !has { // A token may stand there alone.
			all = append(all, name)
		}
		all = append(all, base64.StdEncoding.EncodeToString([]byte(name+":"+password)))
	}
	for param := range strings.SplitSeq(target.RawQuery, "&") {
		_, value, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(value); err == nil {
			all = append(all, plain)
		}
		all = append(all, value)
	}
	return all
}

// Unverified tells whether the check takes any certificate.
func (c Check) Unverified() bool {
	switch h := c.How.(type) {
	case *HTTP:
		return h.Security.Unverified
	case *TLS:
		return h.Security.Unverified
	case *DNS:
		return h.Security.Unverified
	}
	return false
}

// MaxRetries is how many attempts may follow the first.
const MaxRetries = 10

// Total is what attempts of this length come to: what the service's Timeout is.
func Total(attempt time.Duration, retries int, after time.Duration) time.Duration {
	return time.Duration(retries+1)*attempt + time.Duration(retries)*after
}

// Attempt is the check for one attempt, with the time that it has.
func (c Check) Attempt() Check {
	c.Timeout = (c.Timeout - time.Duration(c.Retries)*c.RetryAfter) / time.Duration(c.Retries+1)
	return c
}

// Valid refuses settings of which each may be right, and that do not go together.
func (c Check) Valid() error {
	if c.Retries < 0 || c.Retries > MaxRetries || c.RetryAfter < 0 || c.RetryAfter > c.Timeout || c.Retries > 0 && c.Attempt().Timeout <= 0 {
		return fmt.Errorf("retries: %w", status.ErrInvalid)
	}
	return errors.Join(c.How.valid(), c.Expect.valid(), c.Unless.valid())
}

// Clone returns a check whose settings may be changed, by keys of its kind.
func (c Check) Clone() Check {
	c.How, c.Expect, c.Unless = c.How.clone(), c.Expect.clone(), c.Unless.clone()
	return c
}
