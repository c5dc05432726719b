package config

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"statuspage/internal/notify/channel"
	"strings"
	"testing"
)

// channelsOf is a configuration with the example of a kind, and what else it needs.
func channelsOf(k *channel.Kind) string {
	return "mail: {server: \"smtp://127.0.0.1\", from: status@example.org}\nchannels:\n  " + strings.ReplaceAll(strings.TrimSpace(k.Example), "\n", "\n  ") + "\n"
}

// TestExamplesOfChannels holds that what documentation shows is accepted, and printed without its secrets.
func TestExamplesOfChannels(t *testing.T) {
	t.Parallel()
	for _, k := range channel.Kinds() {
		c, err := Load(Overrides{}, env(), file(channelsOf(k)))
		if err != nil || len(c.Channels) != 1 || c.Channels[0].Kind != k {
			t.Errorf("%s: %v, %+v", k.Name, err, c)
			continue
		}
		var out bytes.Buffer
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		for _, key := range k.Keys {
			values := c.Channels[0].Values(key)
			if key.Required && len(values) == 0 {
				t.Errorf("the example of %s has no %s", k.Name, key.Name)
			}
			for _, v := range values {
				if shown := strings.Contains(out.String(), v); shown == key.Secret {
					t.Errorf("%s of %s is shown: %v\n%s", key.Name, k.Name, shown, out.String())
				}
			}
		}
	}
}

// TestSecretsOfChannelsFromFiles: each secret of each kind may stand in a file.
func TestSecretsOfChannelsFromFiles(t *testing.T) {
	t.Parallel()
	for _, k := range channel.Kinds() {
		for _, key := range k.Keys {
			if !key.Secret {
				continue
			}
			plain := channelsOf(k)
			want, err := Load(Overrides{}, env(), file(plain))
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Channels[0].Values(key)) == 0 {
				continue
			}
			secret := want.Channels[0].Values(key)[0]
			text := regexp.MustCompile(`\b`+key.Name+`: "?`+regexp.QuoteMeta(secret)+`"?`).ReplaceAllString(plain, key.Name+"_file: secrets/one")
			got, err := Load(Overrides{}, env(), func(name string) ([]byte, error) {
				switch name {
				case "statuspage.yaml":
					return []byte(text), nil
				case "secrets/one":
					return []byte(secret + "\n"), nil
				}
				return nil, fmt.Errorf("no file %s", name)
			})
			if err != nil || got.Channels[0].Values(key)[0] != secret {
				t.Errorf("%s.%s from a file: %v\n%s", k.Name, key.Name, err, text)
			}
		}
	}
}

// TestAddressesInThePlaceOfNamesAreNotShown, as when the name is forgotten.
func TestAddressesInThePlaceOfNamesAreNotShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"channels: {ops: {slack: {\"https://hooks.example.org/s3cret\"}}}\n", "channels: {ops: {\"https://hooks.example.org/s3cret\"}}\n",
		"channels: {\"https://hooks.example.org/s3cret\": {slack: {}}}\n", "channels: {ops: \"https://hooks.example.org/s3cret\"}\n", "channels: [\"https://hooks.example.org/s3cret\"]\n",
		"mail: \"smtp://me:s3cret@mail.example.org\"\n", "mail: {\"smtp://me:s3cret@mail.example.org\"}\n", "heartbeat: [\"https://hooks.example.org/s3cret\"]\n",
		"channels: {ops: {slack: {url: \"https://hooks.example.org/s3cret\", url: \"https://hooks.example.org/s3cret\"}}}\n",
		"channels:\n  ops:\n    slack:\n      url: \"https://hooks.example.org/s3cret\"\n      url: \"https://hooks.example.org/s3cret\"\n      nope: s3cret\n",
	} {
		if _, err := Load(Overrides{}, env(), file(text)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestAlertsOfTheCommandLine: rules of the file may be about services that the command line leaves out.
func TestAlertsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	text := "channels: {ops: {slack: {url: \"https://hooks.example.org/x\"}}}\nalerts: [{services: web, to: ops}, {services: \"*\", to: ops}]\nservices: [{name: Web, url: \"https://a.example\"}]\n"
	c, err := Load(Overrides{URLs: []string{"https://b.example"}}, env(), file(text))
	if err != nil || len(c.Alerts[0].Services) != 0 || len(c.Alerts[1].Services) != 1 {
		t.Errorf("%v, %+v", err, c)
	}
}

// TestPrintedAlerts shows all that there is to alerts but secrets, which is why it can't be loaded again as it is.
func TestPrintedAlerts(t *testing.T) {
	t.Parallel()
	c, err := Load(Overrides{File: "testdata/alerts.yaml"}, env(), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "s3cret") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	golden(t, "testdata/alerts.txt", out.String())
}

// TestSigningSecretsAreJudged, and not repeated.
func TestSigningSecretsAreJudged(t *testing.T) {
	t.Parallel()
	_, err := Load(Overrides{}, env(), file("channels: {hook: {webhook: {url: \"https://example.org\", secret: s3cret}}}\n"))
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.HasPrefix(err.Error(), "statuspage.yaml:1:65: channels.hook.webhook.secret: ") {
		t.Errorf("says %v", err)
	}
}

// TestAlertsOfSeveralProcessesNeedOneStore: each would tell what the others have told.
func TestAlertsOfSeveralProcessesNeedOneStore(t *testing.T) {
	t.Parallel()
	text := "queue: redis://127.0.0.1\ndatabase: questdb://127.0.0.1:8812/qdb\nchannels: {ops: {slack: {url: \"https://hooks.example.org/x\"}}}\nalerts: [{services: \"*\", to: ops}]\nservices: [{name: Web, url: \"https://a.example\"}]\n"
	if _, err := Load(Overrides{}, env(), file(text)); err == nil || !strings.HasPrefix(err.Error(), "statuspage.yaml:4:9: alerts: several processes") {
		t.Errorf("says %v", err)
	}
	if _, err := Load(Overrides{}, env(), file("control: postgres://u:p@h/x\n"+text)); err != nil {
		t.Error(err)
	}
}
