package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxBrandFile = 256 << 10 // Bytes of a logo, icon or style sheet; every visitor loads them.
	maxLinks     = 12
	// minContrast is what WCAG 2.2 asks of text: https://www.w3.org/TR/WCAG22/#contrast-minimum
	minContrast = 4.5
)

// Brand is the operator's dress of the pages.
type Brand struct {
	Logo, Icon, CSS File
	Accent          Accent
	Header, Footer  []Link
}

// File is a file that the configuration names, read at start.
type File struct {
	Name string
	Body []byte
}

// Accent is the colour of links, #rrggbb: as given in the light theme, made lighter for the dark one.
type Accent struct{ Light, Dark string }

// Link is an address with its text.
type Link struct{ Text, Href string }

func (d *decoder) brand(node *yaml.Node, path string, b *Brand) {
	d.mapping(node, path, field{
		"logo":    d.assetFile(&b.Logo, ".svg", ".png", ".webp", ".jpg"),
		"favicon": d.assetFile(&b.Icon, ".svg", ".png", ".ico"),
		"css":     d.assetFile(&b.CSS, ".css"),
		"accent":  value(d, &b.Accent, parseAccent),
		"header":  func(node *yaml.Node, path string) { d.links(node, path, &b.Header) },
		"footer":  func(node *yaml.Node, path string) { d.links(node, path, &b.Footer) },
	})
}

// assetFile makes a field that reads the file whose name stands there, relative to the folder
// of the configuration.
func (d *decoder) assetFile(dst *File, extensions ...string) func(*yaml.Node, string) {
	return func(node *yaml.Node, path string) {
		name, ok := d.text(node, path)
		if !ok {
			return
		}
		ext := strings.ToLower(filepath.Ext(name))
		if !slices.Contains(extensions, ext) {
			d.fail(node, path, "must be a file that ends in %s", strings.Join(extensions, ", "))
			return
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(d.file), name)
		}
		body, err := d.readFile(name)
		switch {
		case err != nil:
			d.fail(node, path, "%s can't be read: create it, or name another file", name)
		case len(body) == 0 || len(body) > maxBrandFile:
			d.fail(node, path, "%s has %d bytes; 1 to %d are allowed", name, len(body), maxBrandFile)
		default:
			*dst = File{filepath.Base(name), body}
		}
	}
}

func (d *decoder) links(node *yaml.Node, path string, dst *[]Link) {
	d.sequence(node, path, func(node *yaml.Node, path string) {
		var l Link
		d.mapping(node, path, field{"text": value(d, &l.Text, parseText), "url": value(d, &l.Href, parseLink)})
		if l.Text == "" || l.Href == "" {
			d.fail(node, path, "a link needs text and url")
			return
		}
		*dst = append(*dst, l)
	})
	if len(*dst) > maxLinks {
		d.fail(node, path, "more than %d links", maxLinks)
	}
}

func parseLink(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || status.HasControl(text) || len(text) > check.MaxURLLength {
		return "", errors.New("not a link: write https://…, mailto:…, or a path that begins with /")
	}
	isPath := u.Scheme == "" && strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
	if !isPath && !slices.Contains([]string{"http", "https", "mailto"}, u.Scheme) {
		return "", errors.New("not a link: write https://…, mailto:…, or a path that begins with /")
	}
	return text, nil
}

// The grounds that links stand on in either theme, as in the style sheet.
const (
	lightGround = "#f6f7f9"
	darkGround  = "#161a21"
)

// parseAccent takes a colour that can be read on the page, and finds its shade for the dark theme.
func parseAccent(text string) (Accent, error) {
	c, err := parseColor(text)
	if err != nil {
		return Accent{}, err
	}
	light, dark := mustColor(lightGround), mustColor(darkGround)
	if r := contrast(c, light); r < minContrast {
		return Accent{}, fmt.Errorf("a contrast of %.1f to the page's ground is too little to be read, at least %.1f is needed: choose a darker colour", math.Floor(r*10)/10, minContrast)
	}
	shade := c
	for contrast(shade, dark) < minContrast {
		for i := range shade {
			shade[i] += (1 - shade[i]) * 0.1
		}
	}
	return Accent{c.String(), shade.String()}, nil
}

// color is red, green and blue from 0 to 1.
type color [3]float64

func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

func parseColor(text string) (color, error) {
	var c color
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 || text[0] != '#' {
		return c, errors.New("not a colour: write #rrggbb, such as #0b57c2")
	}
	return color{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, nil
}

func mustColor(text string) color {
	c, _ := parseColor(text) // Of our own constants.
	return c
}

// contrast is the ratio of two colours: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
func contrast(a, b color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 12.92
		if c[i] > 0.04045 {
			v = math.Pow((c[i]+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// groups decodes the headings of the page.
func (d *decoder) groups(node *yaml.Node, path string, dst *[]status.Group) {
	seen := map[string]bool{}
	d.sequence(node, path, func(node *yaml.Node, path string) {
		var g status.Group
		d.mapping(node, path, field{
			"name": value(d, &g.Name, parseText), "id": value(d, &g.ID, parseID), "description": value(d, &g.Description, parseDescription),
		})
		if g.Name == "" {
			d.fail(node, path+".name", "must not be empty")
			return
		}
		if g.ID == "" {
			g.ID = slug(g.Name)
		}
		if g.ID == "" || seen[g.ID] || seen["\x00"+g.Name] {
			d.fail(node, path, "name or id is there twice, or has no letter a-z or digit to make an id of: give an id of its own")
			return
		}
		seen[g.ID], seen["\x00"+g.Name] = true, true
		*dst = append(*dst, g)
	})
}

func parseDescription(text string) (string, error) {
	if len(text) > 500 {
		return "", errors.New("longer than 500 letters")
	}
	if status.HasControl(text) {
		return "", errors.New("has control characters or a line break")
	}
	return strings.TrimSpace(text), nil
}
