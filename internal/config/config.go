package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"statuspage/internal/check"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"strconv"
	"time"
)

const (
	defaultFile = "statuspage.yaml"

	maxFileSize = 8 << 20 // Far above 20,000 services written out in full.
	maxServices = 20_000
	maxViewers  = 1_000_000

	reservedID = "page" // The badge of the whole page stands under this id.
)

// The environment variables that Load reads.
const (
	envFile      = "STATUSPAGE_CONFIG"
	envListen    = "STATUSPAGE_LISTEN"
	envListenOps = "STATUSPAGE_LISTEN_OPS"
	envDatabase  = "STATUSPAGE_DATABASE_URL"
	envURL       = "STATUSPAGE_WEBSITE_URL"
	envFrequency = "STATUSPAGE_FREQUENCY"
	envQueue     = "STATUSPAGE_QUEUE_URL"
	envRegion    = "STATUSPAGE_REGION"
	envOutbox    = "STATUSPAGE_OUTBOX"
)

// Config is the validated settings of one process.
type Config struct {
	Title      string
	Listen     string         // host:port; an empty host means every address of the machine.
	ListenOps  string         // The same for the operator alone; empty for no such listener.
	Database   Secret         // URL with one of the schemes sqlite, questdb, postgresql, postgres.
	Outbox     string         // Path of the file that keeps signals while a remote database is away.
	Queue      Secret         // URL of the Redis that several processes share; empty for one process.
	Region     string         // Where this process stands; empty for a place without a name.
	Retention  time.Duration  // Whole hours.
	Timezone   *time.Location // Where the days of the page begin.
	CORS       []string       // Origins such as http://localhost:3000, or *.
	MaxViewers int            // Open streams at a time.
	Limits     Limits         // For each address.
	Proxies    []netip.Prefix // Whose X-Forwarded-For and X-Forwarded-Proto count.
	PageID     string         // In Statuspage's APIs, for who comes from there; empty for one of ours.
	BaseURL    string         // Public address of the page without a slash at the end; empty when unknown.
	Guard      *Guard         // Nil lets probes connect to every address.
	Canary     []string       // URLs and host:port that answer while our own network is there.
	Agents     []Agent        // Probers elsewhere that hand signals in.
	Control    Secret         // URL of the store of who may write: sqlite, postgres or postgresql.
	Admin      Admin
	Tokens     []Token
	Mail       *channel.Mail // Nil sends none.
	Channels   []channel.Channel
	Alerts     []Alert
	Heartbeat  Secret // URL that is asked while alerts can be decided and sent; empty for none.
	Brand      Brand
	Groups     []status.Group // In the order of the page; those that services name and this does not come after.
	Checks     []check.Check
}

// Overrides is what the command line says; the zero value says nothing.
type Overrides struct {
	File      string // Empty: STATUSPAGE_CONFIG, then statuspage.yaml.
	Listen    string
	ListenOps string
	Database  string
	URLs      []string // Replace the services of the file, one service each.
}

// Load reads the settings. Flags beat the environment, the environment beats the file. A
// missing statuspage.yaml that nobody asked for is no mistake: the defaults hold, and there
// are no services but those of the command line and the environment. The file is checked
// in full even where something overrides it.
func Load(o Overrides, getenv func(string) string, readFile func(string) ([]byte, error)) (*Config, error) {
	name, data, err := read(o.File, getenv, readFile)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: name, getenv: getenv, readFile: readFile}
	c, err := d.config(data, o)
	if err != nil {
		return nil, err
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// read returns the file that counts and its content, nil for a missing default file.
func read(flag string, getenv func(string) string, readFile func(string) ([]byte, error)) (string, []byte, error) {
	name, from := flag, "the command line"
	if name == "" {
		name, from = getenv(envFile), envFile
	}
	explicit := name != ""
	if !explicit {
		name = defaultFile
	}
	data, err := readFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && explicit:
		return "", nil, fmt.Errorf("%s, named by %s, does not exist: create it or name another file: %w", name, from, fs.ErrNotExist)
	case errors.Is(err, fs.ErrNotExist):
		return name, nil, nil
	case err != nil:
		return "", nil, fmt.Errorf("read settings: %w", err)
	case len(data) > maxFileSize:
		return "", nil, fmt.Errorf("%s: larger than 8 MiB", name)
	}
	return name, data, nil
}

// config decodes the file and lays environment and flags over it. The error is that of a
// file that is no YAML; mistakes in its content are collected in d.
func (d *decoder) config(data []byte, o Overrides) (*Config, error) {
	c := &Config{
		Title:      "Status",
		Listen:     "127.0.0.1:8000",
		Database:   "sqlite:///data/statuspage.db",
		Outbox:     "data/outbox.db",
		Retention:  90 * status.Day,
		Timezone:   time.UTC,
		MaxViewers: 10_000,
		Limits:     defaultLimits(),
	}
	probing := defaultProbing()

	root, err := d.parse(data)
	if err != nil {
		return nil, err
	}
	services := d.settings(root, c, &probing)

	override(d, "-listen", o.Listen, envListen, &c.Listen, parseListen)
	override(d, "-listen-ops", o.ListenOps, envListenOps, &c.ListenOps, parseListen)
	override(d, "-database", o.Database, envDatabase, &c.Database, parseDatabase)
	override(d, "", "", envQueue, &c.Queue, parseQueue)
	override(d, "", "", envRegion, &c.Region, parseRegion)
	d.ownRegion(c)
	override(d, "", "", envOutbox, &c.Outbox, parsePath)
	d.listeners(c)
	if c.Control == "" {
		c.Control = besideData(c.Database, c.Outbox)
	}
	override(d, "", "", envFrequency, &probing.interval, parseMinutes)

	c.Checks = d.services(services, probing)
	urls, label := o.URLs, func(i int) string { return "argument " + strconv.Itoa(i+1) }
	if u := d.getenv(envURL); len(urls) == 0 && u != "" {
		urls, label = []string{u}, func(int) string { return envURL }
	}
	if len(urls) > 0 {
		c.Checks = d.fromURLs(urls, label, probing)
	}
	d.settleAlerts(c, len(urls) == 0)
	return c, nil
}

// override puts the value of a flag, or else that of a variable, in the place of the file's.
func override[T any](d *decoder, flag, value, env string, dst *T, parse func(string) (T, error)) {
	source := flag
	if value == "" {
		source, value = env, d.getenv(env)
	}
	if value == "" {
		return
	}
	v, err := parse(value)
	if err != nil {
		d.fail(nil, source, "%v", err)
		return
	}
	*dst = v
}

// fromURLs makes a service of each URL, named by its host and path.
func (d *decoder) fromURLs(urls []string, label func(int) string, base probing) []check.Check {
	if len(urls) > maxServices {
		d.fail(nil, label(maxServices), "too many services: at most %d", maxServices)
		return nil
	}
	base.timeoutGiven = false
	d.fits(nil, "defaults", &base)
	d.reachable(&base)
	used := map[string]bool{reservedID: true}
	checks := make([]check.Check, 0, len(urls))
	for i, text := range urls {
		u, k, err := check.ParseURL(text)
		if err != nil {
			d.fail(nil, label(i), "%v", err)
			continue
		}
		name := urlName(u)
		id := uniqueID(slug(name), used)
		used[id] = true
		checks = append(checks, base.check(id, name, "", u, k))
	}
	return checks
}
