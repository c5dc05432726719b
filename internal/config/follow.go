package config

import (
	"net/netip"
	"reflect"
	"statuspage/internal/check"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"time"
)

// setting is one field of a configuration, by the name that it has in the file.
type setting struct {
	name  string
	live  bool                // A running process takes it over; what is not counts from a start on.
	field func(c *Config) any // The address of the field.
	same  func(x, y *Config) bool
	keep  func(to, from *Config)
}

func of[T any](name string, live bool, field func(*Config) *T) setting {
	return setting{
		name: name, live: live,
		field: func(c *Config) any { return field(c) },
		same:  func(x, y *Config) bool { return reflect.DeepEqual(*field(x), *field(y)) },
		keep:  func(to, from *Config) { *field(to) = *field(from) },
	}
}

const (
	live  = true
	fixed = false
)

// settings are all fields of a configuration, and what becomes of each when it changes.
var settings = []setting{
	of("title", live, func(c *Config) *string { return &c.Title }),
	of("listen", fixed, func(c *Config) *string { return &c.Listen }),
	of("listen_ops", fixed, func(c *Config) *string { return &c.ListenOps }),
	of("database", fixed, func(c *Config) *Secret { return &c.Database }),
	of("outbox", fixed, func(c *Config) *string { return &c.Outbox }),
	of("queue", fixed, func(c *Config) *Secret { return &c.Queue }),
	of("region", fixed, func(c *Config) *string { return &c.Region }),
	of("retention", fixed, func(c *Config) *time.Duration { return &c.Retention }),
	of("timezone", live, func(c *Config) **time.Location { return &c.Timezone }),
	of("cors", live, func(c *Config) *[]string { return &c.CORS }),
	of("max_viewers", fixed, func(c *Config) *int { return &c.MaxViewers }),
	of("limits", fixed, func(c *Config) *Limits { return &c.Limits }),
	of("proxies", fixed, func(c *Config) *[]netip.Prefix { return &c.Proxies }),
	of("page_id", live, func(c *Config) *string { return &c.PageID }),
	of("base_url", live, func(c *Config) *string { return &c.BaseURL }),
	of("guard", fixed, func(c *Config) **Guard { return &c.Guard }),
	of("canary", fixed, func(c *Config) *[]string { return &c.Canary }),
	of("agents", live, func(c *Config) *[]Agent { return &c.Agents }),
	of("control", fixed, func(c *Config) *Secret { return &c.Control }),
	of("admin", fixed, func(c *Config) *Admin { return &c.Admin }),
	of("tokens", live, func(c *Config) *[]Token { return &c.Tokens }),
	of("mail", live, func(c *Config) **channel.Mail { return &c.Mail }),
	of("channels", live, func(c *Config) *[]channel.Channel { return &c.Channels }),
	of("alerts", live, func(c *Config) *[]Alert { return &c.Alerts }),
	of("heartbeat", live, func(c *Config) *Secret { return &c.Heartbeat }),
	of("brand", live, func(c *Config) *Brand { return &c.Brand }),
	of("groups", live, func(c *Config) *[]status.Group { return &c.Groups }),
	of("services", live, func(c *Config) *[]check.Check { return &c.Checks }),
}

// Follow prepares a configuration for a process that runs with another: it gets the settings of that one that only
// count after a restart. It returns the names of those that differed.
func (c *Config) Follow(running *Config) (waiting []string) {
	for _, s := range settings {
		if s.live {
			continue
		}
		if !s.same(running, c) {
			waiting = append(waiting, s.name)
		}
		s.keep(c, running)
	}
	return waiting
}
