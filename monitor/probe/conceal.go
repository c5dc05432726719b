package probe

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"statuspage/internal/status"
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
func conceal(err error, check status.Check) error {
	if err == nil {
		return nil
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = &askedError{strings.ToUpper(u.Op), check.URL, u.Err}
	}
	text := err.Error()
	for _, secret := range secretsOf(check) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	if text == err.Error() {
		return err
	}
	return &concealed{text, err}
}

// secretsOf lists what a check sends and nobody may read, in the forms in which texts have it, the longest
// first: one may be part of another.
func secretsOf(check status.Check) (all []string) {
	add := func(text string) {
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text), url.UserPassword("", text).String()[1:], strings.Trim(strconv.Quote(text), `"`)} {
			if len(text) >= shortestSecret {
				all = append(all, form)
			}
		}
	}
	for name, value := range check.Headers {
		if strings.EqualFold(name, "Host") {
			continue
		}
		add(value)
		for word := range strings.FieldsSeq(value) { // Bearer and Basic are none, what follows is.
			add(word)
		}
	}
	target, err := url.Parse(check.Target)
	if err != nil {
		return all
	}
	if target.User != nil {
		name := target.User.Username()
		password, has := target.User.Password()
		if add(password); !has { // A token may stand there alone.
			add(name)
		}
		add(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
	}
	for param := range strings.SplitSeq(target.RawQuery, "&") {
		_, value, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(value); err == nil {
			add(plain)
		}
		add(value)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}
