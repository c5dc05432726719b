// Command pack packs the files of static.Packed, and removes the forms of before:
//
//	go run ./static/pack
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"statuspage/static"

	"github.com/valyala/fasthttp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run() error {
	keep := map[string]bool{}
	for _, name := range static.Packed {
		f, _ := static.Lookup(static.Path(name))
		file := filepath.Join("static", static.PackedName(name, f.Hash))
		keep[file] = true
		body, err := source(name, f)
		if err != nil {
			return err
		}
		packed := fasthttp.AppendBrotliBytesLevel(nil, body, fasthttp.CompressBrotliBestCompression)
		if err := os.WriteFile(file, packed, 0o644); err != nil { //nolint:gosec // As every file of the source.
			return err
		}
	}
	old, err := filepath.Glob("static/packed/*.br")
	if err != nil {
		return err
	}
	for _, file := range old {
		if !keep[file] {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// source is what is to be packed. What the binary has packed only is read from its file.
func source(name string, f static.File) ([]byte, error) {
	if slices.Contains(static.PackedOnly, name) {
		return os.ReadFile(filepath.Join("static", name))
	}
	return f.Body(), nil
}
