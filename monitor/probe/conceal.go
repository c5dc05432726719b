package probe

import (
	"errors"
	"net/url"
	"slices"
	"statuspage/internal/check"
	"strconv"
	"strings"
)

// shortestSecret keeps words of an error from being taken for a secret of two letters.
const shortestSecret = 5

// concealed is an error whose text has *** for the secrets of its check.
type concealed struct {
	text string
	err  error
}

func (e *concealed) Error() string { return e.text }
func (e *concealed) Unwrap() error { return e.err }

// conceal takes what is secret out of an error: net/http puts the address in its texts, and what a
// target answered, which may be what it was asked.
func conceal(err error, c check.Check) error {
	if err == nil {
		return nil
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = &askedError{strings.ToUpper(u.Op), c.URL, u.Err}
	}
	text := concealText(err.Error(), c)
	if text == err.Error() {
		return err
	}
	return &concealed{text, err}
}

func concealText(text string, c check.Check) string {
	for _, secret := range secretsOf(c) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// secretsOf lists what a check sends and nobody may read, in the forms in which texts have it, the longest
// first: one may be part of another.
func secretsOf(c check.Check) (all []string) {
	for _, text := range c.Secrets() {
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text), url.UserPassword("", text).String()[1:], strings.Trim(strconv.Quote(text), `"`)} {
			if len(text) >= shortestSecret {
				all = append(all, form)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}
