// Package grant names what people and programs may be allowed: roles and scopes.
package grant

import (
	"errors"
	"slices"
	"strings"
)

// Role is what an operator may do; each may do what those before it may.
type Role string

// The roles.
const (
	Viewer Role = "viewer" // Sees what the public doesn't see yet.
	Author Role = "author" // Writes incidents and maintenance.
	Admin  Role = "admin"  // Says who else may.
)

// Roles are all, the least first.
var Roles = []Role{Viewer, Author, Admin}

// ParseRole takes the name of a role.
func ParseRole(text string) (Role, error) {
	if r := Role(text); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", errors.New("not a role: write viewer, author or admin")
}

// May tells whether the role includes another.
func (r Role) May(what Role) bool {
	return slices.Index(Roles, r) >= slices.Index(Roles, what) && slices.Contains(Roles, what)
}

// Scope is what a token is for.
type Scope string

// The scopes. To write is not to read: a token has what it was given.
const (
	ReadIncidents    Scope = "incidents:read"
	WriteIncidents   Scope = "incidents:write"
	ReadSubscribers  Scope = "subscribers:read"
	WriteSubscribers Scope = "subscribers:write"
)

// Scopes are all.
var Scopes = []Scope{ReadIncidents, WriteIncidents, ReadSubscribers, WriteSubscribers}

const scopeNames = "write incidents:read, incidents:write, subscribers:read or subscribers:write"

// ParseScope takes the name of a scope.
func ParseScope(text string) (Scope, error) {
	if s := Scope(text); slices.Contains(Scopes, s) {
		return s, nil
	}
	return "", errors.New("not a scope: " + scopeNames)
}

// ParseScopes takes names of scopes, each once, in their order. There has to be one.
func ParseScopes(names []string) (scopes []Scope, err error) {
	for _, name := range names {
		if _, err := ParseScope(name); err != nil {
			return nil, err
		}
	}
	for _, s := range Scopes {
		if slices.Contains(names, string(s)) {
			scopes = append(scopes, s)
		}
	}
	if len(scopes) == 0 {
		return nil, errors.New("no scope: " + scopeNames)
	}
	return scopes, nil
}

// Join writes scopes as one text, Split reads it.
func Join(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, " ")
}

// Split reads what Join has written.
func Split(scopes string) (all []Scope) {
	for name := range strings.FieldsSeq(scopes) {
		all = append(all, Scope(name))
	}
	return all
}
