package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrDamaged is what a Store returns (wrapped or bare) for an item that is
// there and cannot be believed. Such an entry is a miss, never a failure.
var ErrDamaged = errors.New("damaged entry")

// stored is an entry as the store holds it. The key stands inside too, so
// that an item copied to another name is not believed even by a backend that
// does not bind names to contents.
type stored struct {
	Version     int         `json:"version"`
	Key         Key         `json:"key"`
	Info        Info        `json:"info"`
	Credentials Credentials `json:"credentials"`
}

const storedVersion = 1

func encode(key Key, info Info, creds Credentials) ([]byte, error) {
	e := stored{Version: storedVersion, Key: key, Info: info, Credentials: creds}
	if err := e.check(key); err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// decode accepts exactly what encode writes. Its errors wrap ErrDamaged and
// never quote the data.
func decode(key Key, data []byte) (stored, error) {
	var e stored
	if err := json.Unmarshal(data, &e); err != nil {
		// The decoder's message may quote a value of the entry.
		return stored{}, fmt.Errorf("%w: it is not valid JSON", ErrDamaged)
	}
	if err := e.check(key); err != nil {
		return stored{}, err
	}
	return e, nil
}

func (e *stored) check(key Key) error {
	c, i := &e.Credentials, &e.Info
	why := ""
	switch {
	case e.Version != storedVersion:
		why = "another version of groat wrote it"
	case e.Key != key:
		why = "it was stored under another name"
	case !keyID(c.AccessKeyID):
		why = "its access key ID is malformed"
	case c.SecretAccessKey == "":
		why = "it has no secret access key"
	case c.SessionToken == "" && i.Kind != KindProcess:
		why = "it has no session token"
	case !KnownKind(i.Kind):
		why = "its kind is not known"
	case c.Expiration.IsZero() || !c.Expiration.Equal(i.Expiration):
		why = "it disagrees with itself about its expiration"
	case !validTime(i.Issued) || !validTime(i.Expiration) || !i.Issued.Before(i.Expiration):
		why = "its times make no sense"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDamaged, why)
}

// keyID reports whether s can be an access key ID. AWS's have 16 to 128 word
// characters; those of MinIO and its like have three, and others. What cannot
// be shown or signed with is none.
func keyID(s string) bool {
	return s != "" && len(s) <= 128 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// validTime keeps out years that RFC 3339 cannot write.
func validTime(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }
