package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"statuspage/internal/importer"
	"strings"
)

const imported = "# Imported from "

// importConfig turns configurations of another tool into ours. Nothing is written unless all of them could be read.
func (e env) importConfig(args []string) error {
	f := e.flags("import")
	dir := f.String("o", "", "")
	strict := f.Bool("strict", false, "")
	slow := f.String("slow", "down", "")
	report := f.String("report", "text", "")
	var names []string
	for rest := args; len(rest) > 0; { // Flags may stand behind names.
		if err := e.parse(f, rest); err != nil {
			if errors.Is(err, errReported) {
				return err
			}
			return exitError{err, 2}
		}
		rest = f.Args()
		for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			names, rest = append(names, rest[0]), rest[1:]
		}
	}
	switch {
	case len(names) == 0:
		return exitError{fmt.Errorf("import: say of which tool: one of %s", strings.Join(importer.Sources(), ", ")), 2}
	case *slow != "down" && *slow != "degraded":
		return exitError{errors.New("import: --slow is down or degraded"), 2}
	case *report != "text" && *report != "json":
		return exitError{errors.New("import: --report is text or json"), 2}
	}
	result, err := importer.Import(names[0], names[1:], importer.Options{Slow: *slow == "degraded", Getenv: e.getenv})
	if err == nil && *dir != "" {
		err = writeImport(*dir, result)
	}
	if err != nil {
		return exitError{err, 2}
	}
	if *dir == "" {
		if _, err := e.stdout.Write(result.YAML); err != nil {
			return exitError{fmt.Errorf("import: %w", err), 2}
		}
	}
	if *report == "json" {
		err = result.Report.JSON(e.stderr)
	} else {
		err = result.Report.Text(e.stderr)
		switch {
		case len(result.Secrets) > 0 && *dir == "":
			fmt.Fprintf(e.stderr, "secrets are not shown: set %s, or say -o DIR to have them in DIR/secrets.env\n", strings.Join(result.Report.Secrets, ", "))
		case len(result.Secrets) > 0:
			fmt.Fprintf(e.stderr, "secrets are in %s, which nobody else may read\n", filepath.Join(*dir, "secrets.env"))
		}
	}
	if err == nil && *strict && result.Report.Lost() {
		err = errReported
	}
	return err
}

// writeImport writes statuspage.yaml and, where there are some, secrets.env into a folder. It overwrites what an
// import has written, and nothing else.
func writeImport(dir string, r *importer.Result) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	name := filepath.Join(dir, "statuspage.yaml")
	if old, err := os.ReadFile(name); err == nil && !bytes.HasPrefix(old, []byte(imported)) {
		return fmt.Errorf("import: %s is there and no import has written it: move it away, or name another folder", name)
	}
	if len(r.Secrets) > 0 {
		if err := replace(filepath.Join(dir, "secrets.env"), r.Secrets, 0o600); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	if err := replace(name, r.YAML, 0o644); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// replace writes a file whole or not at all, and whoever reads it meanwhile has the old one.
func replace(name string, body []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".import-*") // Of mode 0600.
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // The error before tells more.
		}
	}()
	_, err = f.Write(body)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
