package vault

import (
	"time"
)

// AccessKey is a long-lived AWS access key.
type AccessKey struct {
	ID     string `json:"access_key_id"`
	Secret string `json:"secret_access_key"`
	// Generation is the random name of this storing of the key; its card carries the same.
	Generation string `json:"generation"`
}

// String hides the secret, so that no careless %v prints it.
func (k AccessKey) String() string { return "access key " + k.ID }

// GoString hides the secret from %#v.
func (k AccessKey) GoString() string { return k.String() }

// Card is what identifies a stored key without opening it. It holds no
// secret. A lost card is rebuilt from the key's item.
type Card struct {
	Profile    string    `json:"profile"`
	KeyID      string    `json:"access_key_id"`
	Generation string    `json:"generation"` // random, new at every Put of the key
	Account    string    `json:"account,omitempty"`
	ARN        string    `json:"arn,omitempty"`       // caller ARN as GetCallerIdentity said it
	UserName   string    `json:"user_name,omitempty"` // last part of the ARN's resource, for role session names
	MFASerial  string    `json:"mfa_serial,omitempty"`
	Backend    string    `json:"backend"`
	Added      time.Time `json:"added"`
}
