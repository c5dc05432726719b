package config

import (
	"fmt"
	"io"
	"net/url"
	"statuspage/internal/status"
	"strings"

	"go.yaml.in/yaml/v4"
)

// printed is the file form of the settings as they work out.
type printed struct {
	Title      string           `yaml:"title"`
	Listen     string           `yaml:"listen"`
	ListenOps  string           `yaml:"listen_ops,omitempty"`
	Database   string           `yaml:"database"`
	Outbox     string           `yaml:"outbox"`
	Queue      string           `yaml:"queue,omitempty"`
	Region     string           `yaml:"region,omitempty"`
	Retention  string           `yaml:"retention"`
	Timezone   string           `yaml:"timezone"`
	BaseURL    string           `yaml:"base_url,omitempty"`
	MaxViewers int              `yaml:"max_viewers"`
	Limits     printedLimits    `yaml:"limits"`
	Proxies    []string         `yaml:"trusted_proxies,omitempty"`
	CORS       *printedCORS     `yaml:"cors,omitempty"`
	Guard      any              `yaml:"guard,omitempty"`
	Canary     []string         `yaml:"canary,omitempty"`
	Agents     []printedAgent   `yaml:"agents,omitempty"`
	Brand      *printedBrand    `yaml:"brand,omitempty"`
	Groups     []printedGroup   `yaml:"groups,omitempty"`
	Services   []printedService `yaml:"services"`
}

type printedCORS struct {
	AllowOrigins []string `yaml:"allow_origins"`
}

type printedBrand struct {
	Logo   string        `yaml:"logo,omitempty"`
	Icon   string        `yaml:"favicon,omitempty"`
	CSS    string        `yaml:"css,omitempty"`
	Accent string        `yaml:"accent,omitempty"`
	Header []printedLink `yaml:"header,omitempty"`
	Footer []printedLink `yaml:"footer,omitempty"`
}

type printedLink struct {
	Text string `yaml:"text"`
	URL  string `yaml:"url"`
}

type printedGroup struct {
	Name        string `yaml:"name"`
	ID          string `yaml:"id"`
	Description string `yaml:"description,omitempty"`
}

type printedService struct {
	Name            string            `yaml:"name"`
	ID              string            `yaml:"id"`
	Group           string            `yaml:"group,omitempty"`
	URL             string            `yaml:"url"`
	Interval        string            `yaml:"interval"`
	Timeout         string            `yaml:"timeout"`
	Method          string            `yaml:"method"`
	Headers         map[string]string `yaml:"headers,omitempty"`
	Expect          *printedExpect    `yaml:"expect,omitempty"`
	DegradedAfter   string            `yaml:"degraded_after,omitempty"`
	FollowRedirects bool              `yaml:"follow_redirects"`
	KeepAlive       bool              `yaml:"keep_alive"`
	HideURL         bool              `yaml:"hide_url"`
	Regions         []string          `yaml:"regions,omitempty"`
	DownWhen        string            `yaml:"down_when,omitempty"`
}

type printedExpect struct {
	Status []string `yaml:"status"`
}

// Print writes the effective settings as YAML, with *** for secrets.
func (c *Config) Print(w io.Writer) error {
	p := printed{
		Title: c.Title, Listen: c.Listen, ListenOps: c.ListenOps, Database: c.Database.String(), Outbox: c.Outbox,
		Queue: c.Queue.String(), Region: c.Region,
		Retention: status.FormatDuration(c.Retention), Timezone: c.Timezone.String(), BaseURL: c.BaseURL,
		MaxViewers: c.MaxViewers, Limits: printedLimits{c.Limits.Requests.N, c.Limits.Streams.N}, Services: []printedService{},
	}
	for _, proxies := range c.Proxies {
		p.Proxies = append(p.Proxies, proxies.String())
	}
	if len(c.CORS) > 0 {
		p.CORS = &printedCORS{c.CORS}
	}
	p.Agents = printedAgents(c.Agents)
	p.Guard, p.Canary = c.Guard.printed(), c.Canary
	p.Brand = c.Brand.printed()
	for _, g := range c.Groups {
		p.Groups = append(p.Groups, printedGroup{g.Name, g.ID, g.Description})
	}
	for _, k := range c.Checks {
		s := printedService{
			Name: k.Name, ID: k.ID, Group: k.Group, URL: printedURL(k), Interval: status.FormatDuration(k.Interval),
			Timeout: status.FormatDuration(k.Timeout), Method: k.Method, FollowRedirects: k.FollowRedirects, KeepAlive: k.KeepAlive, HideURL: k.HideURL,
		}
		if len(k.Regions) > 0 {
			s.Regions, s.DownWhen = k.Regions, downWhenText(k.Service)
		}
		if k.DegradedAfter > 0 {
			s.DegradedAfter = status.FormatDuration(k.DegradedAfter)
		}
		for name := range k.Headers {
			if s.Headers == nil {
				s.Headers = map[string]string{}
			}
			s.Headers[name] = mask
		}
		for _, r := range k.ExpectStatus {
			if s.Expect == nil {
				s.Expect = &printedExpect{}
			}
			s.Expect.Status = append(s.Expect.Status, r.String())
		}
		p.Services = append(p.Services, s)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("print settings: %w", err)
	}
	return e.Close()
}

// printedURL shows of a hidden address no more than the store has.
func printedURL(k status.Check) string {
	text := k.URL
	if u, err := url.Parse(k.Target); err == nil && u.User != nil {
		text = strings.Replace(text, "://", "://"+mask+"@", 1)
	}
	return text
}

func (b Brand) printed() *printedBrand {
	p := printedBrand{Logo: b.Logo.Name, Icon: b.Icon.Name, CSS: b.CSS.Name, Accent: b.Accent.Light}
	for _, l := range b.Header {
		p.Header = append(p.Header, printedLink{l.Text, l.Href})
	}
	for _, l := range b.Footer {
		p.Footer = append(p.Footer, printedLink{l.Text, l.Href})
	}
	if p.Logo+p.Icon+p.CSS+p.Accent == "" && p.Header == nil && p.Footer == nil {
		return nil
	}
	return &p
}
