// Package config turns one YAML file, the environment and the command line into validated
// settings.
//
// It reports every mistake at once, each with its place in the file and what to write
// instead, and it never shows a secret: not in an error, not in an excerpt, not in Print.
//
// In the file an empty value is the same as a missing key. ${VAR} and ${VAR:-default} are
// filled in from the environment after parsing and inside values only, so no variable can
// add a key or a service; $$ is a dollar. YAML aliases, anchors and tags are refused: what
// services share belongs under defaults.
package config
