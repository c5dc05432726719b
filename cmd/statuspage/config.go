package main

import (
	"errors"
	"fmt"
	"os"
	"statuspage/internal/app/probing"
	"statuspage/internal/config"
)

// config checks the configuration, or prints it as it works out; secrets show as ***.
func (e env) config(args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	if verb != "check" && verb != "print" {
		return errors.New("config: say `config check` or `config print`")
	}
	cfg, err := e.load("config "+verb, args)
	if err != nil {
		return err
	}
	if verb == "print" {
		return cfg.Print(e.stdout)
	}
	for _, line := range probing.Warnings(cfg.Checks) {
		fmt.Fprintln(e.stderr, "warning:", line)
	}
	_, err = fmt.Fprintf(e.stdout, "ok: %d services\n", len(cfg.Checks))
	return err
}

// load reads the configuration for a command with only --config; what follows the flags
// is left to the command and does not count as services.
func (e env) load(name string, args []string) (*config.Config, error) {
	f := e.flags(name)
	file := f.String("config", "", "")
	if err := e.parse(f, args); err != nil {
		return nil, err
	}
	return e.read(*file)
}

// read reads the configuration that is named, or the usual one.
func (e env) read(file string) (*config.Config, error) {
	return config.Load(config.Overrides{File: file}, e.getenv, os.ReadFile)
}
