package e2e

import (
	"database/sql"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // To look into the server's store.
)

const agentToken = "0123456789abcdef0123456789abcdef"

// newNetwork stands between an agent and its server, and can be cut.
func newNetwork(t *testing.T, target string) *harness.Proxy {
	t.Helper()
	p := harness.LaunchProxy(t, target)
	harness.Must(t, p.Open())
	return p
}

// startAgent runs an agent in dir until it says where its metrics are.
func startAgent(t *testing.T, dir, server, token string) *product {
	t.Helper()
	return launch(t, dir, []string{"STATUSPAGE_AGENT_TOKEN=" + token},
		"agent", "--to", server, "--outbox", filepath.Join(dir, "outbox.db"), "--listen", "127.0.0.1:0")
}

// handedOver waits until nothing waits in an agent's outbox.
func (p *product) handedOver() {
	p.T.Helper()
	p.wait("has handed everything in", func() bool {
		_, body := p.get("/readyz")
		return strings.Contains(body, `"server":"up","outbox":0,"unsaved":0`)
	})
}

// stored is the instants of the signals of a service and region in a store of SQLite.
func stored(t *testing.T, dir, service, region string) (all []time.Time) {
	t.Helper()
	store, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "data/statuspage.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rows, err := store.Query("SELECT received FROM signals WHERE service = ? AND region = ? ORDER BY received", service, region)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var us int64
		if err := rows.Scan(&us); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.UnixMicro(us).UTC())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// metric is the value of a metric without labels, -1 for none.
func metric(text, name string) float64 {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// TestAgentLosesNothing cuts the network between an agent and its server, and kills both.
// Afterwards the server has every slot of the agent's region exactly once, but for those in which
// no agent was alive.
func TestAgentLosesNothing(t *testing.T) {
	t.Parallel()
	serverDir, agentDir, x := t.TempDir(), t.TempDir(), newTarget(t)
	both, only := service("both", x.url, ", regions: [here, office]"), service("only", x.url, ", regions: [office], headers: {X-Key: s3cret}")
	yaml := "region: here\nagents:\n  - {region: office, token: " + agentToken + "}\nservices:\n" + both + only
	server := start(t, serverDir, yaml)
	address := strings.TrimPrefix(server.URL, "http://")
	between := newNetwork(t, address)
	a := startAgent(t, agentDir, "http://"+between.Address, agentToken)
	office := func(n int) func() bool {
		return func() bool { return len(server.recordsOf("only", "office")) >= n }
	}
	server.wait("shows what the agent measures", office(3))

	between.Close()
	a.says("store is away")
	a.wait("keeps signals", func() bool {
		_, body := a.get("/metrics")
		return strings.Contains(body, "statuspage_agent_server_up 0") && metric(body, "statuspage_outbox_signals") >= 6
	})
	// Killed while the server can't be reached, it goes on by what it remembers.
	waiting := func() float64 {
		_, body := a.get("/metrics")
		return metric(body, "statuspage_outbox_signals")
	}
	had := waiting()
	killed := time.Now()
	a.Kill()
	a = startAgent(t, agentDir, "http://"+between.Address, agentToken)
	again := time.Now()
	a.wait("goes on with what it had", func() bool { return waiting() >= had+4 })
	harness.Must(t, between.Open())
	a.handedOver()
	// The server dies and comes back.
	server.Kill()
	a.wait("keeps signals", func() bool { return waiting() >= 2 })
	server = start(t, serverDir, "", "serve", "--listen", address)
	a.handedOver()
	server.wait("shows more", office(3))

	// A service that is added is measured; one that goes is not.
	server.replace(strings.Replace(yaml, both, service("added", x.url, ", regions: [office]"), 1))
	server.wait("shows what was added", func() bool { return len(server.recordsOf("added", "office")) > 1 })
	a.stop()
	server.stop()

	slots := stored(t, serverDir, "only", "office")
	if len(slots) < 10 {
		t.Fatalf("only %d signals", len(slots))
	}
	for i := 1; i < len(slots); i++ {
		gap := slots[i].Sub(slots[i-1])
		dead := slots[i].After(killed.Add(-time.Second)) && slots[i-1].Before(again.Add(time.Second))
		if gap != time.Second && (!dead || gap%time.Second != 0) {
			t.Errorf("%v comes after %v; no agent lived from %v to %v", slots[i], slots[i-1], killed, again)
		}
	}
	if n := len(stored(t, serverDir, "both", "office")); n < 8 {
		t.Errorf("%d signals of office for the service that both watch", n)
	}
	if n := len(stored(t, serverDir, "only", "")) + len(stored(t, serverDir, "only", "here")); n > 0 {
		t.Errorf("%d signals of a service that only the agent watches are from elsewhere", n)
	}
	kept, err := os.Stat(filepath.Join(agentDir, "outbox.db.checks.json"))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Errorf("the checks are kept as %v, %v", kept, err)
	}
	if all := server.Log.String() + a.Log.String(); strings.Contains(all, agentToken) || strings.Contains(all, "s3cret") {
		t.Error("a secret is in the log")
	}
}

// TestAgentWithAWrongToken goes on measuring, and hands in what waits once the token is right.
func TestAgentWithAWrongToken(t *testing.T) {
	t.Parallel()
	serverDir, agentDir, x := t.TempDir(), t.TempDir(), newTarget(t)
	yaml := "agents:\n  - {region: office, token: " + agentToken + "}\nservices:\n" + service("web", x.url, ", regions: [office]")
	server := start(t, serverDir, yaml)
	a := startAgent(t, agentDir, server.URL, agentToken)
	server.wait("shows what the agent measures", func() bool { return len(server.recordsOf("web", "office")) > 1 })

	server.replace(strings.Replace(yaml, agentToken, strings.ToUpper(agentToken), 1))
	a.says("THE SERVER REFUSES THE TOKEN")
	a.wait("goes on measuring", func() bool {
		_, body := a.get("/metrics")
		return metric(body, "statuspage_outbox_signals") >= 5
	})
	if n := strings.Count(a.Log.String(), "THE SERVER REFUSES THE TOKEN"); n != 1 {
		t.Errorf("said %d times", n)
	}
	if _, body := server.get("/metrics"); metric(body, "statuspage_agents_denied_total") < 1 {
		t.Error("the server does not count it")
	}
	a.stop()
	a = startAgent(t, agentDir, server.URL, strings.ToUpper(agentToken))
	a.handedOver()
	a.stop()
	server.stop()
	slots := stored(t, serverDir, "web", "office")
	if len(slots) < 6 {
		t.Errorf("%d signals", len(slots))
	}
	for i := 1; i < len(slots); i++ {
		if !slots[i].After(slots[i-1]) || slots[i].Sub(slots[i-1])%time.Second != 0 {
			t.Errorf("%v comes after %v", slots[i], slots[i-1])
		}
	}
	if text := server.Log.String(); strings.Contains(text, agentToken) || strings.Contains(text, strings.ToUpper(agentToken)) {
		t.Error("a token is in the log")
	}
}

func TestAgentsMistakes(t *testing.T) {
	t.Parallel()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--to https://":          {"agent"},
		"STATUSPAGE_AGENT_TOKEN": {"agent", "--to", "https://status.example"},
		"24 to 256":              {"agent", "--to", "https://status.example", "--token", "short"},
		"not the address":        {"agent", "--to", "status.example", "--token", agentToken},
		"--insecure":             {"agent", "--to", "http://status.example", "--token", agentToken},
		"no certificate":         {"agent", "--to", "https://status.example", "--token", agentToken, "--ca", "/dev/null"},
		"neither a URL":          {"agent", "--to", "https://status.example", "--token", agentToken, "--canary", "1.1.1.1:443,nothing"},
		"not a range":            {"agent", "--to", "https://status.example", "--token", agentToken, "--allow", "office"},
		"no such file":           {"agent", "--to", "https://status.example", "--token-file", "nowhere"},
		"leave one out":          {"agent", "--to", "https://status.example", "--token", agentToken, "--token-file", "nowhere"},
	} {
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "STATUSPAGE_AGENT_TOKEN=")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), agentToken) {
			t.Errorf("%v: %v %s, want %q", args, err, out, want)
		}
	}
}

// recordsOf is the newest signals of a service from a region.
func (p *product) recordsOf(service, region string) []string {
	p.T.Helper()
	code, body := p.get("/signals?limit=1440&service=" + service + "&region=" + region)
	if code != http.StatusOK {
		return nil // Not there yet.
	}
	return strings.Split(body, `"received"`)[1:]
}
