package auth

import (
	"fmt"
	"statuspage/internal/status"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxName     = 64
	minPassword = 12
	maxPassword = 256
)

// A FieldError is a field of a form that can't be taken; Key names the words for it in the catalogue.
type FieldError struct{ Field, Key string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Key }

// Unwrap makes it status.ErrInvalid.
func (*FieldError) Unwrap() error { return status.ErrInvalid }

// AccountName is a name as accounts have it: what looks the same is the same.
func AccountName(text string) (string, error) {
	return named(strings.ToLower(norm.NFKC.String(strings.TrimSpace(text))))
}

// named refuses what is no name, of an account or a token.
func named(name string) (string, error) {
	switch {
	case name == "":
		return "", &FieldError{"name", "admin.error.name.empty"}
	case utf8.RuneCountInString(name) > maxName:
		return "", &FieldError{"name", "admin.error.name.long"}
	case status.HasControl(name) || !utf8.ValidString(name):
		return "", &FieldError{"name", "admin.error.name.form"}
	}
	return name, nil
}

// newPassword refuses what is guessed first.
func newPassword(password, account string) error {
	password = norm.NFKC.String(password)
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	lower := strings.ToLower(password)
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return &FieldError{"password", "admin.error.password.short"}
	case len(password) > maxPassword:
		return &FieldError{"password", "admin.error.password.long"}
	case len(different) < minPassword/2 || utf8.RuneCountInString(account) > 3 && strings.Contains(lower, account):
		return &FieldError{"password", "admin.error.password.weak"}
	}
	return nil
}

// tokenName is the name of a token.
func tokenName(text string) (string, error) { return named(strings.TrimSpace(text)) }

// errFull is what who comes while too many passwords are being looked at is told.
var errFull = fmt.Errorf("too many sign in at once: %w", status.ErrUnavailable)

// Say is what a program is told of a field, in English; pages have the catalogue.
func Say(e *FieldError) string {
	switch e.Key {
	case "admin.error.name.taken":
		return "a token of this name is there already"
	case "admin.error.name.long":
		return fmt.Sprintf("longer than %d characters", maxName)
	}
	return "has characters that nobody can see"
}
