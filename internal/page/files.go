package page

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"path"
	"statuspage/views"
	"strings"
)

// Picture is a file of the operator's.
type Picture struct {
	Name string // Its extension says what it is.
	Body []byte
}

// Accent is the colour of links and focus, one for each theme; empty for ours.
type Accent struct{ Light, Dark string }

// FilePrefix begins the addresses of the operator's files.
const FilePrefix = "/brand/"

// filePath is the address of an operator's file; its name carries a hash of the content.
func filePath(name string, body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return FilePrefix + hex.EncodeToString(sum[:6]) + strings.ToLower(path.Ext(name))
}

// styles are the operator's style sheets: accent first, so that their own has the last word.
func (s Settings) styles() [][]byte {
	var all [][]byte
	if s.Accent.Light != "" {
		all = append(all, []byte(":root{--link:light-dark("+s.Accent.Light+","+s.Accent.Dark+")}\n"))
	}
	if len(s.CSS) > 0 {
		all = append(all, s.CSS)
	}
	return all
}

// dress is the page as views know it.
func (s Settings) dress(base views.Base) views.Site {
	at := func(path string) string {
		if path == "" {
			return ""
		}
		return base.At(path)
	}
	v := views.Site{Base: base, Title: s.Title, Logo: at(filePath(s.Logo.Name, s.Logo.Body)), Icon: at(filePath(s.Icon.Name, s.Icon.Body)), Header: s.Header, Footer: s.Footer}
	for _, css := range s.styles() {
		v.Styles = append(v.Styles, at(filePath("x.css", css)))
	}
	return v
}

// File is what is served of an operator's file.
type File struct {
	Body []byte
	Type string // Media type.
}

// Files are the operator's files by address.
func (s Settings) Files() map[string]File {
	files := map[string]File{}
	add := func(name string, body []byte) {
		if address := filePath(name, body); address != "" {
			files[address] = File{body, mime.TypeByExtension(strings.ToLower(path.Ext(name)))}
		}
	}
	add(s.Logo.Name, s.Logo.Body)
	add(s.Icon.Name, s.Icon.Body)
	for _, css := range s.styles() {
		add("x.css", css)
	}
	return files
}
