// Package accesskey is what a long-lived AWS access key is: its two halves, what
// they may look like, and the forms in which people are handed one. It is a
// leaf: it imports nothing of ours, and every room may import it.
package accesskey

import (
	"errors"
	"strings"
)

// Key is a long-lived AWS access key.
type Key struct {
	ID     string `json:"access_key_id"`
	Secret string `json:"secret_access_key"`
	// Generation is the random name of the storing of a key in a vault; the card
	// that belongs to the key carries the same. "" where it is in none.
	Generation string `json:"generation"`
}

// String hides the secret, so that no careless %v prints it.
func (k Key) String() string { return "access key " + k.ID }

// GoString hides the secret from %#v.
func (k Key) GoString() string { return k.String() }

// Same reports whether two are the same key, whatever vaults they are in.
func (k Key) Same(other Key) bool { return k.ID == other.ID && k.Secret == other.Secret }

// isID is narrower than what the API takes ("\w"): AWS's IDs have no small
// letters, and one secret in four is a word of letters and digits alone. One that
// was given in the ID's place must not be sent, stored and shown as an ID.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
func isID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	})
}

func isSecret(s string) bool {
	return len(s) >= 16 && len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '"' || r == '\''
	})
}

// Check refuses what cannot be a long-lived access key; token is the session
// token that came with it, which such a key has not.
func (k Key) Check(token string) error {
	switch {
	case k.ID == "" && k.Secret == "":
		return errors.New(noForm)
	case k.ID == "":
		return errors.New("the access key ID is missing")
	case k.Secret == "":
		return errors.New("the secret access key is missing")
	case token != "":
		return errors.New(temporary)
	case !isID(k.ID) && isSecret(k.ID) && isID(k.Secret):
		return errors.New("the access key ID and the secret seem to be swapped")
	}
	if err := CheckID(k.ID); err != nil {
		return err
	}
	return CheckSecret(k.Secret)
}

// temporary refuses session credentials.
const temporary = "these are temporary credentials (with a session token), but the vault is for long-lived access keys"

// CheckID refuses what cannot be the ID of a long-lived access key.
func CheckID(id string) error {
	switch {
	case strings.HasPrefix(id, "ASIA"):
		return errors.New(temporary)
	case !isID(id) && isSecret(id) && len(id) >= 40:
		return errors.New("this looks like a secret access key: the access key ID comes first, such as AKIAIOSFODNN7EXAMPLE")
	case !isID(id):
		return errors.New("the access key ID is malformed: it has 16 to 128 capital letters and digits, such as AKIAIOSFODNN7EXAMPLE")
	}
	return nil
}

// CheckSecret refuses what cannot be a secret access key.
func CheckSecret(secret string) error {
	if !isSecret(secret) {
		return errors.New("the secret access key is malformed: it has at least 16 printable characters, no blanks and no quotes")
	}
	return nil
}
