package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"groat/vault/accesskey"
	"groat/vault/files"
)

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
	// Stored is when this key was put under its profile. It never goes back, so
	// that of a key and a card of different generations it names the older one.
	Stored time.Time `json:"stored,omitzero"`
	// Created is when AWS made the key, as far as it is known; else zero. The
	// key is no younger than Added.
	Created time.Time `json:"created,omitzero"`
}

// keyItem is a key's item: the key, and what its card says, so that a lost
// card comes back whole.
type keyItem struct {
	accesskey.Key
	Card Card `json:"card"`
}

// PutKey stores a profile's key and its card, replacing older ones. The
// card's Profile, KeyID, Generation, Backend, Stored and, where zero, Added are
// set here; the card as stored is returned.
//
// The old card goes first and the new one comes last, so that at no moment,
// a crash included, a card describes another key than the one stored: in
// between there is none, and GetCard rebuilds it.
func PutKey(ctx context.Context, v Vault, profile string, key accesskey.Key, card Card) (Card, error) {
	if key.ID == "" || key.Secret == "" {
		return Card{}, fmt.Errorf("could not store the key of %q: key ID or secret is empty", profile)
	}
	generation := make([]byte, 16)
	_, _ = rand.Read(generation) // never fails (crypto/rand since Go 1.24)
	key.Generation = hex.EncodeToString(generation)
	card.Profile, card.KeyID, card.Generation, card.Backend = profile, key.ID, key.Generation, v.Backend()
	card.Stored = time.Now().UTC()
	if card.Added.IsZero() {
		card.Added = card.Stored
	}
	card.Added = card.Added.UTC().Truncate(time.Second)
	if err := prepare(ctx, v); err != nil {
		return Card{}, err
	}
	release, err := holdCard(ctx, v, profile)
	if err != nil {
		return Card{}, err
	}
	defer release()
	if old, err := readCard(ctx, v, profile); err == nil && !card.Stored.After(old.Stored) { // the clock was put back
		card.Stored = old.Stored.Add(1)
	}
	item, err := json.Marshal(keyItem{Key: key, Card: card})
	if err != nil {
		return Card{}, fmt.Errorf("could not encode the key of %q: %w", profile, err)
	}
	if err := v.Remove(ctx, KindCard, profile); err != nil && !errors.Is(err, ErrNotFound) {
		return Card{}, err
	}
	if err := v.Put(ctx, KindKey, profile, item); err != nil {
		return Card{}, err
	}
	if err := putCard(ctx, v, card); err != nil {
		return Card{}, err
	}
	return card, nil
}

// GetKey opens a profile's long-lived key. The error wraps ErrNotFound when
// none is stored.
func GetKey(ctx context.Context, v Vault, profile string) (accesskey.Key, error) {
	item, err := getKeyItem(ctx, v, profile)
	return item.Key, err
}

// GetCard reads a profile's card: one exact read, and no key is opened. A
// card that is missing or damaged while the key exists is rebuilt from the
// key. The error wraps ErrNotFound when no key is stored.
func GetCard(ctx context.Context, v Vault, profile string) (Card, error) {
	card, err := readCard(ctx, v, profile)
	if err == nil || errors.Is(err, errNewer) || !(errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt)) {
		return card, err
	}
	return rebuildCard(ctx, v, profile)
}

// PeekCard is GetCard for who may change nothing: a card that is missing or
// damaged is not rebuilt.
func PeekCard(ctx context.Context, v Vault, profile string) (Card, error) {
	return readCard(ctx, v, profile)
}

// rebuildCard holds the profile's lock from reading the key to writing the
// card, so that a key replaced meanwhile never gets the older one's card.
func rebuildCard(ctx context.Context, v Vault, profile string) (Card, error) {
	if _, err := getKeyItem(ctx, v, profile); err != nil { // no lock file for a key that is not there
		return Card{}, err
	}
	release, err := holdCard(ctx, v, profile)
	if err != nil {
		item, kerr := getKeyItem(ctx, v, profile)
		return item.Card, kerr // a vault that cannot be written still serves what it holds
	}
	defer release()
	if card, err := readCard(ctx, v, profile); err == nil {
		return card, nil // somebody else was quicker
	}
	item, err := getKeyItem(ctx, v, profile)
	if err != nil {
		return Card{}, err
	}
	_ = putCard(ctx, v, item.Card) // it will be rebuilt again
	return item.Card, nil
}

// MendCard settles which of a profile's key and card is the older copy that
// somebody put back, where the two are of different generations. A card that
// is older is written anew from the key, and mended is true. The error wraps
// ErrCorrupt where the key is the older one: the newer one is lost here.
func MendCard(ctx context.Context, v Vault, profile string) (mended bool, err error) {
	release, err := holdCard(ctx, v, profile)
	if err != nil {
		return false, err
	}
	defer release()
	item, err := getKeyItem(ctx, v, profile)
	if err != nil {
		return false, err
	}
	card, err := readCard(ctx, v, profile)
	switch {
	case err == nil && card.Generation == item.Generation, errors.Is(err, ErrNotFound): // stored anew meanwhile
		return false, nil
	case err == nil && !item.Card.Stored.After(card.Stored):
		return false, &Error{Op: "get", Backend: v.Backend(), Kind: KindKey, Name: profile,
			Err:    because(ErrCorrupt, "access key %s is older than %s, which was stored after it: an old copy of the item was put back", item.ID, card.KeyID),
			Remedy: fmt.Sprintf("restore the newest backup of the vault, or store the key again: `groat add --overwrite %s`", files.Word(profile))}
	case err != nil && !errors.Is(err, ErrCorrupt):
		return false, err
	}
	return true, putCard(ctx, v, item.Card)
}

// Keys lists the cards of all stored keys, sorted by profile. It opens a
// long-lived key only where its card is lost. Cards that cannot be read are
// left out and reported together by the error, beside the others; where the
// vault itself does not open, the error alone is returned (see OfItem).
func Keys(ctx context.Context, v Vault) ([]Card, error) {
	names, err := v.Names(ctx, KindKey)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, 0, len(names))
	var errs []error
	for _, name := range names {
		card, err := GetCard(ctx, v, name)
		switch {
		case errors.Is(err, ErrNotFound): // removed since it was listed
		case OfItem(err):
			errs = append(errs, err)
		case err != nil:
			return nil, err
		default:
			cards = append(cards, card)
		}
	}
	return cards, errors.Join(errs...)
}

// RemoveKey deletes a profile's key and its card. The error wraps
// ErrNotFound when no key is stored.
func RemoveKey(ctx context.Context, v Vault, profile string) error {
	return removeKey(ctx, v, profile, "")
}

// ErrReplaced says that another key was stored under the name meanwhile.
var ErrReplaced = errors.New("it was replaced meanwhile")

// removeKey deletes the key only if it is still of this generation; "" is any.
func removeKey(ctx context.Context, v Vault, profile, generation string) error {
	release, err := holdCard(ctx, v, profile)
	if err != nil {
		return err
	}
	defer release()
	if generation != "" {
		now, err := readCard(ctx, v, profile)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			var item keyItem
			item, err = getKeyItem(ctx, v, profile)
			now = item.Card
		}
		if err != nil {
			return err
		}
		if now.Generation != generation {
			return fmt.Errorf("%w: access key %s", ErrReplaced, now.KeyID)
		}
	}
	if err := v.Remove(ctx, KindCard, profile); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return v.Remove(ctx, KindKey, profile)
}

// SetCard changes what is known of a stored key (its serial, its account)
// without changing the key: change is given the card as it is. The key's own
// copy of the card follows, so that a lost card comes back changed.
func SetCard(ctx context.Context, v Vault, profile string, change func(*Card)) (Card, error) {
	if _, err := getKeyItem(ctx, v, profile); err != nil { // asks now what has to be asked
		return Card{}, err
	}
	release, err := holdCard(ctx, v, profile)
	if err != nil {
		return Card{}, err
	}
	defer release()
	item, err := getKeyItem(ctx, v, profile)
	if err != nil {
		return Card{}, err
	}
	fixed := item.Card
	change(&item.Card)
	item.Card.Profile, item.Card.KeyID = fixed.Profile, fixed.KeyID
	item.Card.Generation, item.Card.Backend, item.Card.Stored = fixed.Generation, fixed.Backend, fixed.Stored
	data, err := json.Marshal(item)
	if err != nil {
		return Card{}, fmt.Errorf("could not encode the key of %q: %w", profile, err)
	}
	if err := v.Put(ctx, KindKey, profile, data); err != nil {
		return Card{}, err
	}
	return item.Card, putCard(ctx, v, item.Card)
}

func putCard(ctx context.Context, v Vault, card Card) error {
	data, err := json.Marshal(card)
	if err != nil {
		return fmt.Errorf("could not encode the card of %q: %w", card.Profile, err)
	}
	return v.Put(ctx, KindCard, card.Profile, data)
}

func readCard(ctx context.Context, v Vault, profile string) (Card, error) {
	data, err := v.Get(ctx, KindCard, profile)
	if err != nil {
		return Card{}, err
	}
	var card Card
	if err := json.Unmarshal(data, &card); err != nil || card.Profile != profile || card.KeyID == "" || card.Generation == "" {
		return Card{}, corrupt(v, KindCard, profile)
	}
	return card, nil
}

func getKeyItem(ctx context.Context, v Vault, profile string) (keyItem, error) {
	data, err := v.Get(ctx, KindKey, profile)
	if err != nil {
		return keyItem{}, err
	}
	defer clear(data)
	var item keyItem
	err = json.Unmarshal(data, &item)
	c := item.Card
	if err != nil || item.ID == "" || item.Secret == "" || c.Profile != profile || c.KeyID != item.ID || c.Generation != item.Generation {
		return keyItem{}, corrupt(v, KindKey, profile)
	}
	return item, nil
}

// corrupt is the error of an item that was sealed by us and still is not
// what its kind says (null, an empty object): no detail, it may hold a secret.
func corrupt(v Vault, kind Kind, name string) error {
	return &Error{Op: "get", Backend: v.Backend(), Kind: kind, Name: name, Err: because(ErrCorrupt, "its content is malformed"),
		Remedy: "store the key again with `groat add --overwrite PROFILE`"}
}

// holdCard excludes other writers of one profile's key and card.
func holdCard(ctx context.Context, v Vault, profile string) (func(), error) {
	h, ok := v.(Holder)
	if !ok {
		return nil, fmt.Errorf("%s vault has no locks", v.Backend())
	}
	return h.Hold(ctx, EncodeName(KindCard, profile))
}

// prepare lets the vault ask now, before a lock is taken, and before anything
// is written with a passphrase that turns out wrong.
func prepare(ctx context.Context, v Vault) error {
	if p, ok := v.(Preparer); ok {
		return p.Prepare(ctx)
	}
	return nil
}
