package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/provider"
	"groat/provider/ststest"
	"groat/session"
	"groat/vault/accesskey"
)

// rotating is a user whose key two profiles hold, and a vault.
type rotating struct {
	*world
	t       *testing.T
	user    *ststest.User
	device  *ststest.Device // nil: the bare key signs
	keys    map[string]accesskey.Key
	journal map[string]string
	session *session.Credentials // begun with the key "of"
	of      string
	codes   int
	said    said
}

func newRotating(t *testing.T, mfa bool) *rotating {
	w := newWorld(t, ststest.Options{})
	r := &rotating{world: w, t: t, user: w.AddUser(account, "alice"), keys: map[string]accesskey.Key{}, journal: map[string]string{}}
	key := r.user.AddAccessKey()
	for _, name := range []string{"alice", "copy"} {
		r.keys[name] = accesskey.Key{ID: key.ID, Secret: key.Secret}
	}
	if mfa {
		r.device = r.user.AddMFA()
		r.user.RequireMFA(8 * time.Hour)
	}
	return r
}

// vaultKeys are the profiles' keys behind a gate.
type vaultKeys struct {
	*gate
	r *rotating
}

func (k vaultKeys) Key(_ context.Context, name string) (key accesskey.Key, err error) {
	err = k.do(func() error { key = k.r.keys[name]; return nil })
	return key, err
}

func (k vaultKeys) Replace(_ context.Context, name string, key accesskey.Key, _ time.Time) error {
	return k.do(func() error { k.r.keys[name] = key; return nil })
}

// sign signs with the current key, or with a session that is begun with it,
// once, by a code.
func (r *rotating) sign(ctx context.Context, g *gate) (Client, error) {
	key := r.keys["alice"]
	c := r.through(r.client(&ststest.AccessKey{ID: key.ID, Secret: key.Secret}), g)
	if r.device == nil {
		return c, nil
	}
	if r.session == nil || r.of != key.ID {
		r.device.Forget()
		r.codes++
		out, err := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &r.URL, HTTPClient: c.Options.HTTP, Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret, "")}).
			GetSessionToken(ctx, &sts.GetSessionTokenInput{SerialNumber: &r.device.Serial, TokenCode: aws.String(r.device.FreshCode())})
		if err != nil {
			return c, fmt.Errorf("%w: %w", provider.ErrUnreachable, err)
		}
		r.session, r.of = &session.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}, key.ID
	}
	c.Credentials = *r.session
	return c, nil
}

func (r *rotating) rotator(g *gate) *Rotator {
	return &Rotator{
		Clock: r.clock(), Account: account, User: "alice", Profiles: []string{"alice", "copy"}, Named: "alice",
		Keys: vaultKeys{g, r}, Journal: store{g, r.journal}, Say: r.said.say,
		Sign: func(ctx context.Context) (Client, error) { return r.sign(ctx, g) },
	}
}

func (r *rotating) rotate(g *gate, change func(*Rotator)) error {
	x := r.rotator(g)
	if change != nil {
		change(x)
	}
	err := x.Rotate(g.context())
	r.said.err(err)
	return err
}

// works reports whether each profile's key is one that AWS takes.
func (r *rotating) works() bool {
	for _, key := range r.keys {
		if !slices.ContainsFunc(r.user.AccessKeys(), func(k *ststest.AccessKey) bool {
			return k.ID == key.ID && k.Secret == key.Secret && k.Active()
		}) {
			return false
		}
	}
	return true
}

func (r *rotating) ids() []string {
	var ids []string
	for _, k := range r.user.AccessKeys() {
		ids = append(ids, k.ID)
	}
	return ids
}

func TestRotate(t *testing.T) {
	for name, prepare := range map[string]func(*rotating){
		"at once":    func(*rotating) {},
		"known late": func(r *rotating) { r.DelayNewKeys(12) },
		"known here and there": func(r *rotating) {
			r.FlickerNewKeys("--+-++-+++")
			if r.device == nil { // nor do IAM's own servers know it all at once
				r.FlickerNewKeys("--+-++-+++--+")
			}
		},
		"the session lives on":  func(r *rotating) { r.SessionsOutliveKeys(true) },
		"last used is a secret": func(r *rotating) { r.user.Deny("iam:GetAccessKeyLastUsed") },
	} {
		for _, mfa := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", name, mfa), func(t *testing.T) {
				r := newRotating(t, mfa)
				prepare(r)
				old := r.keys["alice"].ID
				if err := r.rotate(&gate{}, nil); err != nil {
					t.Fatal(err)
				}
				if ids := r.ids(); len(ids) != 1 || ids[0] == old || !r.works() || len(r.journal) != 0 || r.keys["copy"].ID != ids[0] {
					t.Errorf("keys %v, journal %d, profiles %v", ids, len(r.journal), slices.Collect(maps.Values(r.keys)))
				}
				// One code; two only where the session ends with its key.
				want := 0
				if mfa {
					want = 2
					if name == "the session lives on" {
						want = 1
					}
				}
				if r.codes != want || r.said.has("together with the old key") != (want == 2) {
					t.Errorf("%d codes: %v", r.codes, r.said.text)
				}
				for _, c := range r.Calls() {
					if strings.HasPrefix(c.Operation, "GetAccessKeyLastUsed") || c.Service != "iam" {
						continue
					}
					if c.UserName != "alice" {
						t.Errorf("%s names user %q", c.Operation, c.UserName)
					}
				}
			})
		}
	}
}

func TestRotateKeepsTheOldKey(t *testing.T) {
	r := newRotating(t, false)
	old := r.keys["alice"].ID
	if err := r.rotate(&gate{}, func(x *Rotator) { x.KeepOld = true }); err != nil {
		t.Fatal(err)
	}
	keys := r.user.AccessKeys()
	if len(keys) != 2 || keys[0].ID != old || keys[0].Active() || !r.works() {
		t.Errorf("keys %v", r.ids())
	}
	// Two keys: both are named, and only a word lets one go.
	err := r.rotate(&gate{}, nil)
	if !errors.Is(err, provider.ErrRefused) || !r.said.has(old+" (inactive") || !r.said.has("--delete-inactive") || len(r.ids()) != 2 {
		t.Errorf("%v: %v", err, r.said.text)
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.DeleteKey = r.keys["alice"].ID }); !errors.Is(err, provider.ErrRefused) || len(r.ids()) != 2 {
		t.Errorf("the current key was let go: %v", err)
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.DeleteKey = "AKIAAAAAAAAAAAAAAAAA" }); !errors.Is(err, provider.ErrRefused) || len(r.ids()) != 2 {
		t.Error(err)
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.DeleteInactive = true }); err != nil || len(r.ids()) != 1 || !r.works() {
		t.Errorf("%v, keys %v", err, r.ids())
	}
	// An active one is not inactive.
	other := r.user.AddAccessKey()
	if err := r.rotate(&gate{}, func(x *Rotator) { x.DeleteInactive = true }); !errors.Is(err, provider.ErrRefused) || !r.said.has("--delete-key "+other.ID) || !other.Active() {
		t.Error(err)
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.DeleteKey = other.ID }); err != nil || len(r.ids()) != 1 || !r.works() {
		t.Error(err)
	}
}

// An old journal that is put back never brings an old key back, though AWS
// still knows the key that it names.
func TestPutBackJournal(t *testing.T) {
	r := newRotating(t, false)
	var old map[string]string
	keep := func(string) {
		if len(r.journal) > 0 {
			old = maps.Clone(r.journal)
		}
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.Say = keep }); err != nil || old == nil {
		t.Fatal(err)
	}
	if err := r.rotate(&gate{}, func(x *Rotator) { x.KeepOld = true }); err != nil {
		t.Fatal(err)
	}
	kept := r.user.AccessKeys()[0]
	kept.SetActive(true) // the key of the old journal
	want := maps.Clone(r.keys)
	maps.Copy(r.journal, old)
	if err := r.rotate(&gate{}, nil); !errors.Is(err, provider.ErrRefused) || !r.said.has("beginning a new rotation") {
		t.Errorf("%v: %v", err, r.said.text)
	}
	if !maps.Equal(r.keys, want) || !r.works() {
		t.Errorf("keys %v, want %v", r.keys, want)
	}
}

func TestRotatePlanOnlyLooks(t *testing.T) {
	r := newRotating(t, true)
	lines, err := r.rotator(&gate{}).Plan(t.Context())
	if err != nil || len(lines) != 6 || !strings.Contains(strings.Join(lines, "\n"), "iam:DeleteAccessKey "+r.keys["alice"].ID) {
		t.Errorf("%v, %v", lines, err)
	}
	if names := strings.Join(r.Names(), " "); names != "sts:GetSessionToken iam:ListAccessKeys iam:GetAccessKeyLastUsed" || len(r.journal) != 0 {
		t.Errorf("calls %s", names)
	}
}

// A new key that AWS never knows is not used, and not lost.
func TestRotateWithAKeyThatIsNeverKnown(t *testing.T) {
	r := newRotating(t, false)
	r.DelayNewKeys(1000)
	old := r.keys["alice"].ID
	if err := r.rotate(&gate{}, nil); !errors.Is(err, provider.ErrUnreachable) || r.keys["alice"].ID != old || !r.works() || len(r.journal) != 1 {
		t.Errorf("%v, key %s", err, r.keys["alice"].ID)
	}
}

var deleteKey = regexp.MustCompile(`--delete-key (AKIA\w+)`)

// Whatever goes wrong, and wherever: each profile's key in the vault works at
// that moment, and running it again (with the key that it names, where it
// names one) ends with one key.
func TestRotateAtEveryPoint(t *testing.T) {
	scenarios := map[string]struct {
		mfa     bool
		prepare func(*rotating)
		change  func(*Rotator)
		keys    int
	}{
		"bare":        {false, func(*rotating) {}, nil, 1},
		"mfa":         {true, func(*rotating) {}, nil, 1},
		"session on":  {true, func(r *rotating) { r.SessionsOutliveKeys(true) }, nil, 1},
		"late":        {false, func(r *rotating) { r.FlickerNewKeys("-+-") }, nil, 1},
		"keep":        {true, func(*rotating) {}, func(x *Rotator) { x.KeepOld = true }, 2},
		"second":      {false, func(r *rotating) { r.user.AddAccessKey().SetActive(false) }, func(x *Rotator) { x.DeleteInactive = true }, 1},
		"second, mfa": {true, func(r *rotating) { r.user.AddAccessKey().SetActive(false) }, func(x *Rotator) { x.DeleteInactive = true }, 1},
	}
	points := 0
	for name, s := range scenarios {
		for _, kill := range []bool{true, false} {
			for _, after := range []bool{false, true} {
				for at := 1; ; at++ {
					r := newRotating(t, s.mfa)
					s.prepare(r)
					g := &gate{at: at, kill: kill, after: after}
					err := r.rotate(g, s.change)
					if g.n < at {
						r.Close()
						break
					}
					points++
					where := fmt.Sprintf("%s kill=%v after=%v at %d", name, kill, after, at)
					if !r.works() {
						t.Errorf("%s: no working key in the vault", where)
					}
					if s.keys == 2 && len(r.journal) == 0 && len(r.ids()) == 2 && g.n > 10 {
						err = nil // all was done, and only the last word of it lost
					}
					for try := 0; err != nil && try < 3; try++ {
						change := s.change
						if m := deleteKey.FindStringSubmatch(strings.Join(r.said.text, "\n")); m != nil {
							change = func(x *Rotator) {
								if s.change != nil {
									s.change(x)
								}
								x.DeleteKey, x.DeleteInactive = m[1], false
							}
						}
						r.said.text = nil
						err = r.rotate(&gate{}, change)
						if !r.works() {
							t.Errorf("%s: no working key in the vault afterwards", where)
						}
					}
					if err != nil || len(r.ids()) != s.keys || len(r.journal) != 0 {
						t.Errorf("%s: %v; keys %v, journal %v\n%s", where, err, r.ids(), len(r.journal), strings.Join(r.said.text, "\n"))
					}
					r.Close()
				}
			}
		}
	}
	t.Logf("%d points", points)
	if points < 400 {
		t.Errorf("only %d points", points)
	}
}

// What the first version sealed of an unfinished rotation and of an unfinished
// enrolment is understood.
func TestStoredJournalsOpen(t *testing.T) {
	var j journal
	if err := json.Unmarshal([]byte(`{"old":"AKIAOLD","known":["AKIAOLD"],"new":"AKIANEW","secret":"s","made":"2026-11-28T12:00:00Z","holders":["default"],"keep":true}`), &j); err != nil {
		t.Fatal(err)
	}
	if want := (journal{"AKIAOLD", []string{"AKIAOLD"}, "AKIANEW", "s", time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), []string{"default"}, true}); !reflect.DeepEqual(j, want) {
		t.Errorf("%+v", j)
	}
	var d Device
	if err := json.Unmarshal([]byte(`{"serial":"arn:aws:iam::123456789012:mfa/u","seed":"ABC"}`), &d); err != nil || d != (Device{"arn:aws:iam::123456789012:mfa/u", "ABC"}) {
		t.Errorf("%+v, %v", d, err)
	}
}
