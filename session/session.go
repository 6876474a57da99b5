// Package session is the encrypted cache of session credentials: lock →
// re-read → mint → store, one mint however many processes ask, and
// credentials that were minted are delivered even when they cannot be stored.
package session

import (
	"context"
	"errors"
	"time"

	"groat/vault/accesskey"
)

// Credentials are what a call is signed with: session credentials, or a
// long-lived access key, which has no session token.
type Credentials struct {
	AccessKeyID     string    `json:"access_key_id"`
	SecretAccessKey string    `json:"secret_access_key"`
	SessionToken    string    `json:"session_token"`
	AccountID       string    `json:"account_id,omitempty"`
	Expiration      time.Time `json:"expiration"` // UTC; zero means that they do not expire (foreign processes may say so)
}

// OfKey are the credentials that a long-lived access key is.
func OfKey(k accesskey.Key) Credentials {
	return Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
}

// String hides the secrets, so that no careless %v prints them.
func (c Credentials) String() string {
	if c.SessionToken == "" {
		return "access key " + c.AccessKeyID
	}
	return "session credentials " + c.AccessKeyID
}

// GoString hides the secrets from %#v.
func (c Credentials) GoString() string { return c.String() }

// The kinds of session, as `list --json` prints them.
const (
	KindSessionToken = "session-token"
	KindAssumedRole  = "assumed-role"
	KindSSO          = "sso"
	KindLogin        = "login"
	KindWebIdentity  = "web-identity"
	KindProcess      = "process"
	KindScoped       = "scoped"
)

// KnownKind reports whether a kind of session is one of the above.
func KnownKind(k string) bool {
	switch k {
	case KindSessionToken, KindAssumedRole, KindSSO, KindLogin, KindWebIdentity, KindProcess, KindScoped:
		return true
	}
	return false
}

// Info says what an entry is, for `list` and `remove`. It holds no secret.
type Info struct {
	Kind       string    `json:"kind"`
	Profile    string    `json:"profile"`               // minted for; a shared session token: the key's profile
	KeyProfile string    `json:"key_profile,omitempty"` // profile whose long-lived key is the root
	RoleARN    string    `json:"role_arn,omitempty"`
	MFASerial  string    `json:"mfa_serial,omitempty"`
	Issued     time.Time `json:"issued"`
	Expiration time.Time `json:"expiration"`
}

// Request asks for one step's credentials.
type Request struct {
	Key  Key  // hash over everything that AWS would be asked for
	Info Info // Kind, Profile, KeyProfile, RoleARN, MFASerial; the cache fills the times
	// Asks reports whether minting anew would have to ask somebody for a
	// token code right now. It is called at most once, and only when the
	// answer decides (an entry between 5 min and the minimum is found).
	// Nil means that it never asks.
	Asks func(ctx context.Context) bool
}

// Entry is one stored session as `list` sees it.
type Entry struct {
	Key  Key
	Info Info
}

// ErrNotFound is what a Store returns (wrapped or bare) for a missing item.
var ErrNotFound = errors.New("no such session")

// Store keeps opaque items by exact name. The vault's session namespace is
// one, adapted by package cmd; a map is enough for a test.
type Store interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, data []byte) error
	Remove(ctx context.Context, name string) error
	Names(ctx context.Context) ([]string, error)
}

// BulkStore is a Store that has a quicker way to remove many items than one by
// one. Those that are missing are no error.
type BulkStore interface {
	RemoveAll(ctx context.Context, names []string) (removed int, err error)
}
