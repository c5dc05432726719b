// Command minify writes the styles and scripts of ours as browsers load them: short names, no
// comments. `make generate` runs it before static/pack:
//
//	go run ./static/minify
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// sources are written here; what they are made to lies in min under the same names.
var sources = map[string]api.Loader{"app.css": api.LoaderCSS, "admin.css": api.LoaderCSS, "live.js": api.LoaderJS, "app.js": api.LoaderJS, "look.js": api.LoaderJS, "theme.js": api.LoaderJS, "passkey.js": api.LoaderJS}

func main() {
	if err := run("static"); err != nil {
		fmt.Fprintln(os.Stderr, "minify:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	for name, loader := range sources {
		source, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		small, err := minified(string(source), loader)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, "min", name), small, 0o644); err != nil { //nolint:gosec // As every file of the source.
			return err
		}
	}
	return nil
}

// minified is a source as browsers load it. Nothing is made older than it was written.
func minified(source string, loader api.Loader) ([]byte, error) {
	made := api.Transform(source, api.TransformOptions{
		Loader: loader, Target: api.ESNext, Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true,
	})
	if len(made.Errors) > 0 {
		return nil, errors.New(made.Errors[0].Text)
	}
	return made.Code, nil
}
