// Package auth says who may write: operators with a password and a role, who come by invite, and programs with a token and
// scopes. It knows nothing of HTTP but the header and the cookie's text that it is given.
//
// A secret is compared by its SHA-256, or through argon2id; how long that takes tells nothing of it, nor whether an account
// exists. Who fails is slowed and then locked, by account and by address.
package auth
