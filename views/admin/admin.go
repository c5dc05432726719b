// Package admin draws the operators' area. Like the public pages it gets ready texts, asks nobody and does not look at the clock;
// whatever somebody typed is text. Every page is complete without scripts.
package admin

import (
	"statuspage/views"
)

// Shell is what all pages of the area have around them.
type Shell struct {
	Head    views.Head
	Tabs    []Tab
	Who     string // Name of who has signed in; empty for nobody.
	SignOut string // Address of the form that ends the session.
	Done    string // What was done just now; empty for nothing.
	Wrong   string // What went wrong with the whole form; empty for nothing.
}

// Tab leads to a page of the area.
type Tab struct {
	Text, Href string
	Current    bool
}

// Field is one of a form.
type Field struct {
	Name, Label string
	Type        string // text or password.
	Auto        string // What browsers may fill in.
	Value       string // What was typed; never a password.
	Hint        string
	Wrong       string // Why it can't be taken; empty for nothing.
	Focus       bool
}

// describedBy names what says more of the field.
func (f Field) describedBy() string {
	switch {
	case f.Wrong != "":
		return f.Name + "-wrong"
	case f.Hint != "":
		return f.Name + "-hint"
	}
	return ""
}

// Form is a form of fields with one button.
type Form struct {
	Action string
	Title  string
	Text   string
	Fields []Field
	Button string

	Passkey *Passkey // Beside the form; nil for none.
}

// Passkey is a button that a script shows and answers.
type Passkey struct {
	New           bool   // It makes one.
	Ask, Answer   string // Addresses.
	Button, Wrong string
}

// kind is what the script is to do.
func (p *Passkey) kind() string {
	if p.New {
		return "new"
	}
	return "in"
}

// PasskeyRow is one that there is.
type PasskeyRow struct{ Name, Number, Since, Used, End string }

// Passkeys are one's own.
type Passkeys struct {
	All []PasskeyRow
	New Passkey
}

// Choice is one of several.
type Choice struct {
	Value, Text, About string
	Chosen             bool
}

// Session is a row of the account's page.
type Session struct {
	Browser, Address, Since, Used string
	End                           string // Address of the form that ends it.
	This                          bool
}

// Account is one's own.
type Account struct {
	Sessions  []Session
	EndOthers string
	Password  Form
	Passkeys  *Passkeys // Nil where there can be none.
}

// Operator is a row of the operators' page.
type Operator struct {
	Name, Role, Since, Edit string
	You                     bool
}

// Invite is a row of open invites.
type Invite struct{ Role, By, Until, End string }

// Operators is the page of who may sign in.
type Operators struct {
	All     []Operator
	Invites []Invite
	Action  string // Of the form that makes an invite.
	Roles   []Choice
	Link    string // Of an invite that was made just now.
}

// Edit is the page of one operator.
type Edit struct {
	Name       string
	Role       string // Address of the form that changes it.
	Roles      []Choice
	Remove     string // Address of the form that removes them.
	RemoveText string
	Back       string
}

// Token is a row of the tokens' page.
type Token struct {
	Name, Scopes, By, Used, Until, End string
	Ended                              bool
}

// Tokens is the page of what lets programs in.
type Tokens struct {
	All         []Token
	Action      string
	Name        Field
	Scopes      []Choice
	WrongScopes string
	Lasts       []Choice
	Secret      string // Of a token that was made just now.
}

// Entry is a line of the log.
type Entry struct{ When, Who, What, Subject, Detail, Address string }

// Audit is a page of the log.
type Audit struct {
	All   []Entry
	Zone  string
	Older string // Address of the next page; empty for none.
}
