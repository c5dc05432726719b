package config

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

const secretToken = "t0psecret-t0psecret-t0psecret"

func TestAgentTokens(t *testing.T) {
	t.Parallel()
	read := func(name string) ([]byte, error) {
		switch name {
		case "statuspage.yaml":
			return []byte("agents:\n- {region: one, token: \"${TOKEN}\"}\n- region: two\n  token_file: secrets/two\n"), nil
		case "secrets/two":
			return []byte(strings.ToUpper(secretToken) + "\n"), nil
		}
		return nil, fmt.Errorf("no file %s", name)
	}
	c, err := Load(Overrides{}, env("TOKEN", secretToken), read)
	if err != nil {
		t.Fatal(err)
	}
	want := []Agent{{"one", sha256.Sum256([]byte(secretToken))}, {"two", sha256.Sum256([]byte(strings.ToUpper(secretToken)))}}
	if len(c.Agents) != 2 || c.Agents[0] != want[0] || c.Agents[1] != want[1] {
		t.Errorf("agents %v", c.Agents)
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "region: two\n    token: '***'") {
		t.Errorf("printed:\n%s", out.String())
	}
}

// TestAgentMistakes holds that every mistake is told, and that no error shows a token.
func TestAgentMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"agents:\n- {region: office, token: short}\n":                                                      "24 to 256",
		"agents:\n- {region: office, token: \"" + secretToken + " \"}\n":                                   "ASCII only",
		"agents:\n- region: office\n  token:\n    " + secretToken + "\tx\n":                                "ASCII only",
		"agents:\n- {region: Office, token: " + secretToken + "}\n":                                        "not a name of a region",
		"agents:\n- {token: " + secretToken + "}\n":                                                        "agents[0].region: must not be empty",
		"agents:\n- {region: office}\n":                                                                    "needs token",
		"agents:\n- {region: office, token: " + secretToken + ", token_file: x}\n":                         "the file can't be read",
		"agents:\n- {region: a, token: " + secretToken + "}\n- {region: a, token: " + secretToken + "2}\n": "region a is there twice",
		"agents:\n- {region: a, token: " + secretToken + "}\n- {region: b, token: " + secretToken + "}\n":  "the same token",
		"region: a\nagents:\n- {region: a, token: " + secretToken + "}\n":                                  "measures there itself",
		"agents:\n- {region: a, token: [" + secretToken + "]}\n":                                           "must be a single value",
		"agents:\n  - region: a\n    token:\n      - " + secretToken + "\n":                                "must be a single value",
		"agents:\n  - region: a\n    tokn: " + secretToken + "\n":                                          "did you mean token?",
	} {
		_, err := Load(Overrides{}, env(), file(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), secretToken) {
			t.Errorf("%q: the token is shown: %v", text, err)
		}
	}
}
