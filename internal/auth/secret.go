package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// What secrets begin with, so that people, and programs that look for leaks, know what they have found.
const (
	TokenPrefix  = "spt_"
	invitePrefix = "spi_"

	secretBytes = 32
	idLength    = 12
)

// newSecret is 256 random bits behind a prefix.
func newSecret(prefix string) string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // Never fails.
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// hashOf is what is kept of a secret.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newID names a row.
func newID() string { return strings.ToLower(rand.Text()[:idLength]) }
