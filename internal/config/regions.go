package config

import (
	"errors"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const maxRegionLength = 32

// downWhen is how many regions must find a service down, as the file says it.
type downWhen struct {
	quorum status.Quorum
	n      int        // Of a fixed one.
	node   *yaml.Node // Where it stands; nil for the default.
	path   string
}

// parseRegion takes the name of a region.
func parseRegion(text string) (string, error) {
	if text == "" || len(text) > maxRegionLength || strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		return "", errors.New("not a name of a region: write 1 to 32 lower-case letters a-z, digits and dashes, such as eu-west")
	}
	return text, nil
}

// regions replaces those of the defaults.
func (d *decoder) regions(node *yaml.Node, path string, p *probing) {
	p.regions = nil
	d.sequence(node, path, func(node *yaml.Node, path string) {
		var name string
		value(d, &name, parseRegion)(node, path)
		switch {
		case name == "": // Said already.
		case slices.Contains(p.regions, name):
			d.fail(node, path, "%s is there twice", name)
		case len(p.regions) == status.MaxRegions:
			d.fail(node, path, "too many regions: at most %d", status.MaxRegions)
		default:
			p.regions = append(p.regions, name)
		}
	})
}

// downWhen reads any, majority, all or a number. Whether there are so many regions shows when
// the service is read.
func (d *decoder) downWhen(node *yaml.Node, path string, p *probing) {
	value(d, &p.downWhen, func(text string) (downWhen, error) {
		w := downWhen{node: node, path: path}
		switch text {
		case "any":
			w.n = 1
		case "majority":
			w.quorum = status.Majority
		case "all":
			w.quorum = status.All
		default:
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > status.MaxRegions {
				return w, errors.New("write any, majority, all, or how many regions must find it down")
			}
			w.n = n
		}
		return w, nil
	})(node, path)
}

// reachable refuses a number of regions that there are not.
func (d *decoder) reachable(p *probing) {
	if w := p.downWhen; w.n > len(p.regions) && len(p.regions) > 0 {
		d.fail(w.node, w.path, "%d regions can't find it down: it is watched from %d", w.n, len(p.regions))
	}
}

// downWhenText is the form that the file has.
func downWhenText(s status.Service) string {
	switch {
	case s.Quorum == status.Majority:
		return "majority"
	case s.Quorum == status.All:
		return "all"
	case s.DownWhen == 1:
		return "any"
	default:
		return strconv.Itoa(s.DownWhen)
	}
}
