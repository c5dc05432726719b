package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestVendoredFilesAreWhatWasVendored(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("vendor/CHECKSUMS")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		body, err := os.ReadFile("vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(body); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s is not the file that CHECKSUMS names", name)
		}
		if f, _ := Lookup(Path("vendor/" + name)); !bytes.Equal(f.Body(), body) {
			t.Errorf("%s is not what is served: make generate", name)
		}
		n++
	}
	entries, err := os.ReadDir("vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".js") {
			n--
		}
	}
	if n != 0 {
		t.Error("CHECKSUMS does not name every vendored script")
	}
}

func TestNamesCarryTheContent(t *testing.T) {
	t.Parallel()
	for name, address := range paths {
		f, ok := Lookup(address)
		if f.ContentType == "" {
			t.Errorf("%s has no content type", name)
		}
		if !ok {
			t.Fatalf("%s is not served at %s", name, address)
		}
		sum := sha256.Sum256(f.Body())
		if !strings.Contains(address, hex.EncodeToString(sum[:6])) {
			t.Errorf("%s does not carry the hash of %s", address, name)
		}
		if f.Hash != hex.EncodeToString(sum[:6]) {
			t.Errorf("%s says that its hash is %s", name, f.Hash)
		}
	}
	if _, ok := Lookup(Prefix + "app.css"); ok {
		t.Error("a name without a hash is served, though it may change")
	}
}

// TestBannerForOtherSites holds what runs on other people's pages to what it promises them.
func TestBannerForOtherSites(t *testing.T) {
	t.Parallel()
	f, ok := Lookup(Path("embed.js"))
	if !ok || len(f.Body()) >= 3<<10 {
		t.Errorf("embed.js has %d bytes, fewer than 3 KB are promised", len(f.Body()))
	}
	script := string(f.Body())
	for text, why := range map[string]string{
		"/status?format=json&code=200": "each poll of a 503 is an error in the console",
		"'aria-label', 'Close'":        "the button has no name",
		"sessionStorage.setItem":       "what was closed comes back on the next page",
		"if (!s.state) return":         "a refusal takes the bar away while something is down",
		"body.prepend(":                "the bar does not push the page down",
	} {
		if !strings.Contains(script, text) {
			t.Errorf("embed.js lacks %s: %s", text, why)
		}
	}
	for _, text := range []string{"position:fixed", "position:sticky", "position:absolute"} {
		if strings.Contains(script, text) {
			t.Errorf("embed.js has %s, which covers the page", text)
		}
	}
}

func TestPackedFilesAreFresh(t *testing.T) {
	t.Parallel()
	for _, name := range Packed {
		f, _ := Lookup(Path(name))
		if f.Brotli == nil {
			t.Fatalf("%s has changed: make generate", name)
		}
		if body, err := fasthttp.AppendUnbrotliBytes(nil, f.Brotli); err != nil || !bytes.Equal(body, f.Body()) {
			t.Errorf("the packed form of %s is not %s: %v", name, name, err)
		}
	}
}
