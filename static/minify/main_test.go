package main

import (
	"bytes"
	"os"
	"testing"
)

func TestMinifiedFilesAreFresh(t *testing.T) {
	t.Parallel()
	for name, loader := range sources {
		source, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := minified(string(source), loader)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := os.ReadFile("../min/" + name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("min/%s is not what %s says: make generate (%v)", name, name, err)
		}
	}
}
