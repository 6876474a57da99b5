package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"groat/provider"
	"groat/session"
	"groat/vault/accesskey"
	"groat/vault/fault"
)

// Keys is where the access keys of profiles are kept.
type Keys interface {
	// Key is the profile's current key.
	Key(ctx context.Context, profile string) (accesskey.Key, error)
	// Replace makes another key of the same user current, made at that time,
	// and drops what was minted from the one before.
	Replace(ctx context.Context, profile string, key accesskey.Key, made time.Time) error
}

// Rotator replaces a user's access key. At every moment the vault holds a key
// that works, and what was begun is written down beside it, sealed, so that a
// rotation that was cut off is taken up again.
type Rotator struct {
	Clock
	Account, User string
	Profiles      []string // that hold the key, the one that was named first
	Named         string   // that one, as a shell takes it
	Keys          Keys
	Journal       session.Store
	// Sign makes a client that signs for the user by what is current now.
	Sign func(ctx context.Context) (Client, error)
	Say  func(msg string)

	KeepOld        bool   // leave the old key, inactive
	DeleteInactive bool   // of two keys delete the other one, if it is inactive
	DeleteKey      string // of two keys delete this one
}

// journal is what a rotation that was cut off must remember.
type journal struct {
	Old     string    `json:"old"`   // access key ID
	Known   []string  `json:"known"` // keys that were there before the new one
	New     string    `json:"new,omitempty"`
	Secret  string    `json:"secret,omitempty"`
	Made    time.Time `json:"made,omitzero"`
	Holders []string  `json:"holders"` // profiles
	Keep    bool      `json:"keep,omitempty"`
}

// How a new key is proved: IAM takes 3 to 15 s to make it known, and not
// everywhere at once.
const (
	provedTimes  = 3
	provedPause  = time.Second
	provedWithin = time.Minute
	unknownTries = 15 // of calls that the new key signs, a second apart
)

// Rotate replaces the key, or goes on with a rotation that was cut off.
func (r *Rotator) Rotate(ctx context.Context) error {
	client, err := r.Sign(ctx)
	if err != nil {
		return err
	}
	w := &rotation{Rotator: r, client: client}
	if err := w.resume(ctx); err != nil {
		return err
	}
	if w.New == "" {
		if err := w.begin(ctx); err != nil {
			return err
		}
	}
	return w.finish(ctx)
}

// Plan is what Rotate would call, after the calls that only look.
func (r *Rotator) Plan(ctx context.Context) ([]string, error) {
	client, err := r.Sign(ctx)
	if err != nil {
		return nil, err
	}
	w := &rotation{Rotator: r, client: client}
	spare, err := w.preflight(ctx)
	if err != nil {
		return nil, err
	}
	var lines []string
	if spare != "" {
		lines = append(lines, "iam:DeleteAccessKey "+spare)
	}
	lines = append(lines, "iam:CreateAccessKey for user "+r.User, fmt.Sprintf("sts:GetCallerIdentity with the new key, until it succeeds %d times", provedTimes))
	for _, name := range r.Profiles {
		lines = append(lines, fmt.Sprintf("the new key becomes that of profile %q; its sessions are dropped", name))
	}
	lines = append(lines, "iam:UpdateAccessKey "+w.Old+" Inactive")
	if !r.KeepOld {
		lines = append(lines, "iam:DeleteAccessKey "+w.Old)
	}
	return lines, nil
}

// rotation is one in the making.
type rotation struct {
	*Rotator
	journal
	client Client
}

func (w *rotation) journalName() string { return "rotate " + w.Account + "/" + w.User }

func (w *rotation) save(ctx context.Context) error {
	data, err := json.Marshal(w.journal)
	if err != nil {
		return err
	}
	return w.Journal.Put(ctx, w.journalName(), data)
}

func (w *rotation) forget(ctx context.Context) error {
	if err := w.Journal.Remove(ctx, w.journalName()); err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	return nil
}

// resume looks for what an earlier rotation left. A key that AWS created and
// whose secret was never sealed is named: it may be deleted on a word only.
func (w *rotation) resume(ctx context.Context) error {
	data, err := w.Journal.Get(ctx, w.journalName())
	if errors.Is(err, session.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &w.journal)
	}
	if err != nil {
		return fmt.Errorf("could not read what an earlier rotation left: %w", err)
	}
	keys, err := w.list(ctx)
	if err != nil {
		return err
	}
	if w.New != "" {
		current, err := w.Keys.Key(ctx, w.Profiles[0])
		if err != nil {
			return err
		}
		over := ""
		switch {
		case find(keys, w.New) == nil: // somebody deleted it
			over = fmt.Sprintf("access key %s, which an earlier rotation created, no longer exists at AWS", w.New)
		case current.ID != w.Old && current.ID != w.New: // stored since: an old journal was put back, or a key was added
			over = fmt.Sprintf("access key %s, which an earlier rotation created, was replaced by %s since", w.New, current.ID)
		}
		if over != "" {
			w.Say(over + ": beginning a new rotation")
			w.journal = journal{}
			return w.forget(ctx)
		}
		w.Say(fmt.Sprintf("resuming the rotation that created access key %s", w.New))
		w.Keep = w.Keep || w.KeepOld
		return nil
	}
	for _, k := range keys {
		// A journal that names no old key says of none that it is new.
		if id := aws.ToString(k.AccessKeyId); w.Old != "" && id != w.Old && !slices.Contains(w.Known, id) && id != w.DeleteKey {
			return w.orphan(id)
		}
	}
	w.journal = journal{}
	return nil
}

func (w *rotation) orphan(id string) error {
	return fault.New(fmt.Sprintf("access key %s was created by a rotation that was cut off before its secret was stored: nobody can use it", id),
		fmt.Sprintf("to delete it and rotate: groat rotate %s --delete-key %s", w.Named, id), provider.ErrRefused)
}

// begin creates the new key and seals it. The vault is written before, so
// that no key is created whose secret could not be kept.
func (w *rotation) begin(ctx context.Context) error {
	spare, err := w.preflight(ctx)
	if err != nil {
		return err
	}
	if spare != "" {
		if err := w.delete(ctx, spare); err != nil {
			return err
		}
		w.Say("deleted access key " + spare)
		w.Known = slices.DeleteFunc(w.Known, func(id string) bool { return id == spare })
	}
	w.Holders, w.Keep = w.Profiles, w.KeepOld
	if err := w.save(ctx); err != nil {
		return err
	}
	out, err := w.client.once().createAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: &w.User})
	if err != nil {
		if !errors.Is(err, provider.ErrRefused) {
			w.Say("AWS may have created a key nonetheless, and its secret is lost: run the rotation again, and it names that key")
		}
		return err
	}
	w.New, w.Secret, w.Made = aws.ToString(out.AccessKey.AccessKeyId), aws.ToString(out.AccessKey.SecretAccessKey), aws.ToTime(out.AccessKey.CreateDate)
	if err := w.save(ctx); err != nil {
		w.undo(ctx)
		return err
	}
	return nil
}

// undo deletes a new key that could not be sealed: it is ours, and nobody
// else has its secret.
func (w *rotation) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := w.delete(ctx, w.New); err != nil {
		w.Say(fmt.Sprintf("the secret of new access key %s could not be stored, and the key could not be deleted: groat rotate %s --delete-key %s", w.New, w.Named, w.New))
		return
	}
	w.Say(fmt.Sprintf("deleted new access key %s again, as its secret could not be stored", w.New))
}

// finish proves the new key, makes it current, and retires the old one.
func (w *rotation) finish(ctx context.Context) error {
	if err := w.prove(ctx); err != nil {
		return err
	}
	for _, name := range w.holders() {
		key, err := w.Keys.Key(ctx, name)
		if err != nil {
			return err
		}
		if key.ID != w.Old { // it has followed, or has a newer key since
			continue
		}
		if err := w.Keys.Replace(ctx, name, accesskey.Key{ID: w.New, Secret: w.Secret}, w.Made); err != nil {
			return err
		}
		w.Say(fmt.Sprintf("profile %q now uses access key %s", name, w.New))
	}
	err := w.retire(ctx, func() error {
		_, err := w.client.updateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{UserName: &w.User, AccessKeyId: &w.Old, Status: types.StatusTypeInactive})
		return err
	})
	if err != nil {
		return w.left(err, "active")
	}
	if w.Keep {
		w.Say("access key " + w.Old + " is kept, inactive")
		return w.forget(ctx)
	}
	if err := w.retire(ctx, func() error { return w.delete(ctx, w.Old) }); err != nil {
		return w.left(err, "inactive")
	}
	w.Say("deleted access key " + w.Old)
	return w.forget(ctx)
}

func (w *rotation) left(err error, status string) error {
	w.Say(fmt.Sprintf("the new key is in use, but the old one, %s, is still %s at AWS: run this again to finish", w.Old, status))
	return err
}

// holders are all who held the key when it was first rotated, or do now.
func (w *rotation) holders() []string {
	all := slices.Concat(w.Profiles, w.Holders)
	slices.Sort(all)
	return slices.Compact(all)
}

// retire makes a call about the old key. The session that signs it may end
// with that key, or be of a new key that is not known everywhere yet.
func (w *rotation) retire(ctx context.Context, call func() error) error {
	renewed := false
	for try := 1; ; try++ {
		err := call()
		switch {
		case err == nil || code(err) == "NoSuchEntity":
			return nil
		case code(err) != "InvalidClientTokenId" && code(err) != "ExpiredToken" || try > unknownTries:
			return err
		case !renewed:
			if w.client.Credentials.SessionToken != "" {
				w.Say("AWS ended the session together with the old key: beginning one more with the new key")
			}
			client, err := w.Sign(ctx)
			if err != nil {
				return err
			}
			w.client, renewed = client, true
		default:
			if err := w.Sleep(ctx, provedPause); err != nil {
				return err
			}
		}
	}
}

// prove waits until the new key is known everywhere, as far as one can see.
func (w *rotation) prove(ctx context.Context) error {
	begun, good := w.Now(), 0
	creds := session.OfKey(accesskey.Key{ID: w.New, Secret: w.Secret})
	for {
		id, err := provider.CallerIdentity(ctx, w.client.Options, creds)
		switch {
		case err == nil && (id.Account != w.Account || id.UserName() != w.User):
			return fault.New(fmt.Sprintf("access key %s belongs to %s, not to user %s", w.New, id.ARN, w.User), "", provider.ErrRefused)
		case err == nil:
			if good++; good == provedTimes {
				return nil
			}
		case errors.Is(err, provider.ErrInterrupted):
			return err
		default:
			good = 0
		}
		if w.Now().Sub(begun) > provedWithin {
			return fault.New(fmt.Sprintf("AWS does not know the new access key %s after %v; the old one stays in use", w.New, provedWithin),
				"run this again to go on: the new key is kept", provider.ErrUnreachable)
		}
		if err := w.Sleep(ctx, provedPause); err != nil {
			return err
		}
	}
}

// delete deletes a key; one that is gone is gone.
func (w *rotation) delete(ctx context.Context, id string) error {
	_, err := w.client.deleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: &w.User, AccessKeyId: &id})
	if code(err) == "NoSuchEntity" {
		return nil
	}
	return err
}
