package config

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"statuspage/internal/grant"
	"strings"
	"testing"
	"time"
)

func TestTokensOfTheFile(t *testing.T) {
	t.Parallel()
	read := func(name string) ([]byte, error) {
		switch name {
		case "statuspage.yaml":
			return []byte("tokens:\n- {name: ci, token: \"${TOKEN}\", scopes: [incidents:write, incidents:read, incidents:write]}\n- name: gitops\n  token_file: secrets/two\n  scopes: [subscribers:read]\n  expires: 2027-01-31\n"), nil
		case "secrets/two":
			return []byte(strings.ToUpper(secretToken) + "\n"), nil
		}
		return nil, fmt.Errorf("no file %s", name)
	}
	c, err := Load(Overrides{}, env("TOKEN", secretToken), read)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tokens) != 2 || c.Tokens[0].Hash != sha256.Sum256([]byte(secretToken)) || c.Tokens[1].Hash != sha256.Sum256([]byte(strings.ToUpper(secretToken))) {
		t.Fatalf("tokens %v", c.Tokens)
	}
	if got := grant.Join(c.Tokens[0].Scopes); got != "incidents:read incidents:write" || !c.Tokens[0].Expires.IsZero() {
		t.Errorf("the first has %s, ends %v", got, c.Tokens[0].Expires)
	}
	if want := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC); !c.Tokens[1].Expires.Equal(want) {
		t.Errorf("the second ends %v, want %v", c.Tokens[1].Expires, want)
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(strings.ToLower(text), secretToken) || !strings.Contains(text, "token: '***'") || !strings.Contains(text, "2027-01-31T00:00:00Z") {
		t.Errorf("printed:\n%s", text)
	}
}

// TestMistakesAboutOperators: each has a place, and none shows a secret.
func TestMistakesAboutOperators(t *testing.T) {
	t.Parallel()
	token := "token: " + secretToken
	for text, want := range map[string]string{
		"tokens:\n- {name: a, token: short, scopes: [incidents:read]}\n":                                                         "24 to 256",
		"tokens:\n- {" + token + ", scopes: [incidents:read]}\n":                                                                 "tokens[0].name: must not be empty",
		"tokens:\n- {name: a, " + token + "}\n":                                                                                  "tokens[0].scopes: must not be empty",
		"tokens:\n- {name: a, " + token + ", scopes: [all]}\n":                                                                   "not a scope",
		"tokens:\n- {name: a, scopes: [incidents:read]}\n":                                                                       "needs token",
		"tokens:\n- {name: a, " + token + ", scopes: [incidents:read], expires: soon}\n":                                         "not a day or a time",
		"tokens:\n- {name: a, " + token + ", scopes: [incidents:read]}\n- {name: a, " + token + "2, scopes: [incidents:read]}\n": "of this name",
		"tokens:\n- {name: a, " + token + ", scopes: [incidents:read]}\n- {name: b, " + token + ", scopes: [incidents:read]}\n":  "the same token",
		"tokens:\n- {name: a, tokne: " + secretToken + ", scopes: [incidents:read]}\n":                                           "did you mean token?",
		"control: mysql://u:" + secretToken + "@h/x\n":                                                                           "sqlite or postgres",
		"control: questdb://u:" + secretToken + "@h/x\n":                                                                         "sqlite or postgres",
		"control: postgres://u:" + secretToken + "@/x\n":                                                                         "no host",
		"control: " + secretToken + "\n":                                                                                         "not a URL of a store",
		"control: sqlite://host/x.db\n":                                                                                          "three slashes",
		"admin: maybe\n":                                                                                                         "admin",
		"admin: {listen: 127.0.0.1:8000}\n":                                                                                      "the same as another listener",
		"listen_ops: 127.0.0.1:9000\nadmin: {listen: 127.0.0.1:9000}\n":                                                          "the same as another listener",
		"admin: {listen: nowhere}\n":                                                                                             "not an address to listen on",
		"admin: {port: 1}\n":                                                                                                     "unknown setting",
		"base_url: https://example.org/admin\n":                                                                                  "begins as addresses of the page itself do",
	} {
		_, err := Load(Overrides{}, env(), file(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nsays %v, want %s", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), secretToken) || !strings.HasPrefix(err.Error(), "statuspage.yaml:") {
			t.Errorf("%s\nsays %v", text, err)
		}
	}
}

// TestControlStandsBesideTheData unless it is named.
func TestControlStandsBesideTheData(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "sqlite:///data/control.db",
		"database: sqlite:////var/lib/statuspage/a.db\n":                       "sqlite:////var/lib/statuspage/control.db",
		"database: sqlite:///a.db\n":                                           "sqlite:///control.db",
		"database: questdb://u:p@h:8812/qdb\n":                                 "sqlite:///data/control.db",
		"database: questdb://u:p@h:8812/qdb\noutbox: /var/a b/o.db\n":          "sqlite:////var/a%20b/control.db",
		"control: postgres://u:p@h/x\n":                                        "postgres://u:p@h/x",
		"database: sqlite:///x/a.db\ncontrol: sqlite:///y/b.db\nadmin: true\n": "sqlite:///y/b.db",
	} {
		c, err := Load(Overrides{}, env(), file(text))
		if err != nil || string(c.Control) != want || c.Admin.Off {
			t.Errorf("%q: %s, %v; want %s", text, string(c.Control), err, want)
		}
	}
	c, err := Load(Overrides{}, env(), file("admin: false\n"))
	if err != nil || !c.Admin.Off {
		t.Errorf("admin: false is %+v, %v", c, err)
	}
}
