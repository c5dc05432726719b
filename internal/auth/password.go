package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// What a hash takes: OWASP's first choice, some 20 ms and 19 MiB.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB.
	argonThreads = 1
	saltLength   = 16
	keyLength    = 32
	// maxMemory bounds what a stored hash may ask for.
	maxArgonTime, maxArgonMemory = 10, 256 << 10
	maxWaiting                   = 16
)

// kitchen makes hashes one at a time, since each takes as much memory as the rest of the process; a few may wait.
type kitchen struct{ waiting, busy chan struct{} }

func newKitchen() *kitchen {
	return &kitchen{waiting: make(chan struct{}, maxWaiting), busy: make(chan struct{}, 1)}
}

// in runs do when it is its turn.
func (k *kitchen) in(ctx context.Context, do func()) error {
	select {
	case k.waiting <- struct{}{}:
		defer func() { <-k.waiting }()
	default:
		return errFull
	}
	select {
	case k.busy <- struct{}{}:
		defer func() { <-k.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	do()
	return nil
}

// hash makes a PHC string of a password.
// https://github.com/P-H-C/phc-string-format
func (k *kitchen) hash(ctx context.Context, password string) (phc string, err error) {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // Never fails.
	err = k.in(ctx, func() {
		key := argon2.IDKey(bytesOf(password), salt, argonTime, argonMemory, argonThreads, keyLength)
		phc = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key))
	})
	return phc, err
}

// verify tells whether a PHC string is of a password. An empty one is of none, and takes as long.
func (k *kitchen) verify(ctx context.Context, phc, password string) (is bool, err error) {
	h, known := parsePHC(phc)
	if !known {
		h = phcParts{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, saltLength), key: make([]byte, keyLength)}
	}
	err = k.in(ctx, func() {
		key := argon2.IDKey(bytesOf(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
		is = subtle.ConstantTimeCompare(key, h.key) == 1 && known
	})
	return is, err
}

var b64 = base64.RawStdEncoding.Strict()

// bytesOf makes one password of what different keyboards make of it.
func bytesOf(password string) []byte { return []byte(norm.NFKC.String(password)) }

type phcParts struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func parsePHC(text string) (h phcParts, ok bool) {
	fields := strings.Split(text, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, false
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil || fields[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.time, h.threads) {
		return h, false
	}
	var err1, err2 error
	h.salt, err1 = b64.DecodeString(fields[4])
	h.key, err2 = b64.DecodeString(fields[5])
	const least, most = 8, 64
	ok = err1 == nil && err2 == nil && len(h.salt) >= least && len(h.salt) <= most && len(h.key) >= 2*least && len(h.key) <= most &&
		h.time >= 1 && h.time <= maxArgonTime && h.memory >= least && h.memory <= maxArgonMemory && h.threads >= 1
	return h, ok
}
