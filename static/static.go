// Package static holds the files that browsers load, in the binary, under names that carry
// a hash of their content: a name never changes its bytes, so it may be kept for ever.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// What is written here with long names and comments is embedded as static/minify has made it.
//
//go:embed redoc.css embed.js embed-frame.js *.svg min vendor/h*.js vendor/*LICENSE* vendor/CHECKSUMS packed/*.br
var files embed.FS

// File is one embedded file, ready to send.
type File struct {
	Body        func() []byte // Must not be changed.
	Hash        string        // Of the body, as in the address.
	Brotli      []byte        // The same, packed the smallest there is, of what is in Packed; nil for others.
	ContentType string
}

// Prefix is the path that all files are served below.
const Prefix = "/static/"

var (
	byPath = map[string]File{}
	paths  = map[string]string{}
)

func init() {
	sums := checksums()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".br" {
			return err
		}
		add(strings.TrimPrefix(name, "min/"), read(name))
		return nil
	})
	if err != nil {
		panic(err) // Only a broken binary can get here.
	}
	for _, name := range PackedOnly {
		sum := sums[name]
		put(name, sum, sync.OnceValue(func() []byte { return unpack(name, sum[:hashLength]) }))
	}
	for name, scripts := range bundles {
		var all bytes.Buffer
		for _, script := range scripts {
			all.Write(byPath[paths[script]].Body())
			all.WriteString("\n;\n")
		}
		add(name, all.Bytes())
	}
}

func read(name string) []byte {
	body, err := files.ReadFile(name)
	if err != nil {
		panic(err) // The name came from the folder itself.
	}
	return body
}

func unpack(name, hash string) []byte {
	body, err := fasthttp.AppendUnbrotliBytes(nil, read(PackedName(name, hash)))
	if err != nil {
		panic(err) // A test has unpacked it.
	}
	return body
}

// checksums are the SHA-256 sums of the vendored scripts, by name; a test holds the files to them.
func checksums() map[string]string {
	sums := map[string]string{}
	for line := range strings.Lines(string(read("vendor/CHECKSUMS"))) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			sums["vendor/"+name] = sum
		}
	}
	return sums
}

// Packed are the files that every page loads, and the large one. Packing them the smallest there is
// takes seconds and 50 MB, so that is done by `make generate`, not by each process.
var Packed = append([]string{"page.js", "swap.js", "app.css"}, PackedOnly...)

// PackedOnly are in the binary in no other form: a megabyte that few read, and most of them packed.
var PackedOnly = []string{"vendor/redoc-2.5.4.standalone.js"}

// PackedName is where the packed form of a file with that hash lies, below this folder.
func PackedName(name, hash string) string { return "packed/" + path.Base(name) + "." + hash + ".br" }

// bundles are scripts that are sent as one. Every page that is live has page.js, which asks for swap.js once the page
// has been seen, or is touched: htmx is three quarters of all script, and the first view needs none of it. Apart, htmx
// and its extension may be run with time between them.
var bundles = map[string][]string{
	"page.js": {"live.js", "app.js", "look.js"},
	"swap.js": {"vendor/htmx-4.0.1.min.js", "vendor/hx-sse-4.0.1.min.js"},
}

// types are those of what is embedded. Package mime would read the machine's own list first,
// which takes as long as the rest of the start.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8",
	".LICENSE": "text/plain; charset=utf-8",
}

func add(name string, body []byte) {
	sum := sha256.Sum256(body)
	put(name, hex.EncodeToString(sum[:]), func() []byte { return body })
}

// hashLength is how many digits of the sum a name carries.
const hashLength = 12

func put(name, sum string, body func() []byte) {
	ext, hash := path.Ext(name), sum[:hashLength]
	hashed := Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext
	f := File{Body: body, Hash: hash, ContentType: types[ext]}
	if slices.Contains(Packed, name) {
		f.Brotli, _ = files.ReadFile(PackedName(name, hash)) // A test says when there is none.
	}
	byPath[hashed] = f
	paths[name] = hashed
}

// Path returns the address of a file, such as "app.css". An unknown name is a mistake in
// the program and panics, so that the first test finds it.
func Path(name string) string {
	p, ok := paths[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return p
}

// Lookup returns the file at an address made by Path.
func Lookup(address string) (File, bool) {
	f, ok := byPath[address]
	return f, ok
}
