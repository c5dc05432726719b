package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxAgents      = 1000
	minTokenLength = 24
	maxTokenLength = 256
)

// Agent is a prober elsewhere that hands its signals in over HTTPS, for one region.
type Agent struct {
	Region string
	Token  [sha256.Size]byte // SHA-256 of its token, which itself is not kept.
}

func (d *decoder) agents(node *yaml.Node, path string, dst *[]Agent) {
	if len(node.Content) > maxAgents {
		d.fail(node, path, "too many agents: at most %d", maxAgents)
		return
	}
	d.sequence(node, path, func(node *yaml.Node, path string) {
		if a, ok := d.agent(node, path); ok {
			*dst = append(*dst, a)
		}
	})
	for i, a := range *dst {
		for _, before := range (*dst)[:i] {
			switch {
			case a.Region == before.Region:
				d.fail(node, path, "region %s is there twice: each has one agent", a.Region)
			case a.Token == before.Token:
				d.fail(node, path, "regions %s and %s have the same token: give each its own", before.Region, a.Region)
			}
		}
	}
}

func (d *decoder) agent(node *yaml.Node, path string) (a Agent, ok bool) {
	before := len(d.mistakes)
	var token, file string
	d.mapping(node, path, field{
		"region":     value(d, &a.Region, parseRegion),
		"token":      value(d, &token, ParseToken),
		"token_file": func(node *yaml.Node, path string) { file = d.tokenFile(node, path) },
	})
	switch {
	case len(d.mistakes) > before:
	case a.Region == "":
		d.fail(node, path+".region", "must not be empty")
	case (token == "") == (file == ""):
		d.fail(node, path, "needs token: ${A_VARIABLE} or token_file: path, and not both")
	}
	a.Token = sha256.Sum256([]byte(token + file))
	return a, len(d.mistakes) == before
}

// tokenFile reads a token from a file beside the configuration.
func (d *decoder) tokenFile(node *yaml.Node, path string) string {
	text, read := d.secretFile(node, path)
	if !read {
		return ""
	}
	token, err := ParseToken(text)
	if err != nil {
		d.fail(node, path, "in the file: %v", err)
	}
	return token
}

// ParseToken takes a token of an agent. No error repeats it.
func ParseToken(text string) (string, error) {
	switch {
	case len(text) < minTokenLength || len(text) > maxTokenLength:
		return "", fmt.Errorf("a token has %d to %d characters: make one with `openssl rand -hex 32`", minTokenLength, maxTokenLength)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("a token has letters, digits and signs of ASCII only: make one with `openssl rand -hex 32`")
	}
	return text, nil
}

// ownRegion refuses an agent for the region in which this process measures itself.
func (d *decoder) ownRegion(c *Config) {
	for _, a := range c.Agents {
		if a.Region == c.Region {
			d.fail(nil, "agents", "region %s is that of this process, which measures there itself: give the agent another", a.Region)
		}
	}
}

type printedAgent struct {
	Region string `yaml:"region"`
	Token  string `yaml:"token"`
}

func printedAgents(all []Agent) (printed []printedAgent) {
	for _, a := range all {
		printed = append(printed, printedAgent{a.Region, mask})
	}
	return printed
}
