package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/iam"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/files"
)

// mortal is a process over a file vault: one operation on its files fails, or
// is the last thing that the process does.
type mortal struct {
	at   int // the operation that goes wrong, from 1; 0: none
	kill bool

	mu     sync.Mutex
	n      int
	dead   bool
	where  string
	cancel context.CancelFunc
}

var errDead = errors.New("the process is dead")

func (m *mortal) before(op, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	if m.n == m.at {
		m.where = fmt.Sprintf("%s %s, operation %d, kill %v", op, filepath.Base(path), m.n, m.kill)
		if !m.kill {
			return syscall.ENOSPC
		}
		m.dead = true
		m.cancel()
	}
	if m.dead {
		return errDead
	}
	return nil
}

// proxy keeps a dead process from calling AWS.
func (m *mortal) proxy(*http.Request) (*url.URL, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errDead
	}
	return nil, nil
}

// keyLife is a user whose key is in a real file vault under two names.
type keyLife struct {
	*aws
	t       *testing.T
	environ []string
	file    *vault.File // one for all processes: each would derive the key anew
	life    *mortal     // of the process that runs
	stride  int         // one point in so many is tried
	points  int
}

func newKeyLife(t *testing.T) *keyLife {
	k := &keyLife{aws: startAWS(t), t: t, life: &mortal{}, stride: 60}
	if os.Getenv("GROAT_TEST_LONG") != "" {
		k.stride = 1
	}
	k.environ = k.environment(t)
	k.file = vault.OpenFile(vault.Config{
		FileDir: filepath.Join(homeOf(k.environ), ".local/share/groat/vault"), LeastCost: true,
		Disk: files.Disk{Before: func(op, path string) error { return k.life.before(op, path) }},
		Passphrase: func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
			return []byte("correct horse"), vault.FromEnvironment, nil
		},
	})
	k.store()
	return k
}

// store puts the user's key into the vault.
func (k *keyLife) store() {
	for _, name := range []string{"default", "copy"} {
		if _, err := vault.PutKey(k.t.Context(), k.file, name, accesskey.Key{ID: k.key.ID, Secret: k.key.Secret}, vault.Card{Account: "123456789012", UserName: "myusername"}); err != nil {
			k.t.Fatal(err)
		}
	}
}

// process is one that lives as long as m lets it.
func (k *keyLife) process(m *mortal, run func(ctx context.Context, a *app) error, words ...string) result {
	var out, errs strings.Builder
	a := newApp(k.environ, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	ctx, cancel := context.WithCancel(k.t.Context())
	defer cancel()
	m.cancel, k.life = cancel, m
	defer func() { k.life = &mortal{} }()
	a.proxy = m.proxy
	a.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	command, err := a.parse(words)
	if err != nil {
		k.t.Fatal(err)
	}
	a.vaults().Use("file", k.file)
	if run == nil {
		run = command.(interface {
			Run(context.Context, *app) error
		}).Run
	}
	code := a.report(ctx, run(ctx, a))
	return result{code, out.String(), errs.String()}
}

// atEachPoint has a process go wrong at one operation after the other, and
// looks at what each has left.
func (k *keyLife) atEachPoint(process func(*mortal) result, look func(m *mortal, r result)) {
	k.t.Helper()
	for _, kill := range []bool{true, false} {
		for at := 1; !k.t.Failed(); at += k.stride {
			m := &mortal{at: at, kill: kill}
			r := process(m)
			if m.n < at {
				if r.code != 0 {
					k.t.Fatalf("without a fault: %+v", r)
				}
				break
			}
			k.points++
			look(m, r)
		}
	}
}

// wantPoints counts for all of a test.
func (k *keyLife) wantPoints(n int) {
	k.t.Logf("%d kill and fault points at the operations of a file vault", k.points)
	if k.points < n/k.stride {
		k.t.Errorf("only %d points", k.points)
	}
}

// works reports whether both profiles hold a key that AWS takes.
func (k *keyLife) works() error {
	for _, name := range []string{"default", "copy"} {
		key, err := vault.GetKey(k.t.Context(), k.file, name)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(k.user.AccessKeys(), func(at *ststest.AccessKey) bool {
			return at.ID == key.ID && at.Secret == key.Secret && at.Active()
		}) {
			return fmt.Errorf("%s holds %s, which AWS does not take", name, key.ID)
		}
	}
	return nil
}

var deleteKeyHint = regexp.MustCompile(`--delete-key AKIA\w+`)

// Wherever on its files a rotation fails or dies: the vault holds a key that
// works, and rotating again (as a hint says, where one does) ends it, with one
// key and no journal.
func TestRotateAtEveryFileOperation(t *testing.T) {
	k := newKeyLife(t)
	if err := os.WriteFile(filepath.Join(homeOf(k.environ), ".aws/config"), []byte("[default]\nregion = eu-west-1\n[profile copy]\nregion = eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(homeOf(k.environ), ".local/share/groat/vault/locks")
	for _, s := range []struct {
		name  string
		mfa   bool
		words []string
		keys  int
	}{
		{"bare", false, nil, 1},
		{"mfa", true, []string{"--mfa-serial", k.device.Serial}, 1},
		{"keep", false, []string{"--keep-old", "--delete-inactive"}, 2},
	} {
		k.SessionsOutliveKeys(s.mfa)
		rotate := func(m *mortal, more ...string) result {
			words := slices.Concat([]string{"rotate", "default"}, s.words)
			if len(more) > 0 {
				words = slices.Concat(slices.DeleteFunc(words, func(w string) bool { return w == "--delete-inactive" }), more)
			}
			if s.mfa {
				k.device.Forget()
				_ = os.RemoveAll(filepath.Join(used, "state"))
				words = append(words, "--mfa-code", k.device.FreshCode())
			}
			return k.process(m, nil, words...)
		}
		if s.keys == 2 {
			rotate(&mortal{})
		}
		k.atEachPoint(func(m *mortal) result { return rotate(m) }, func(m *mortal, r result) {
			if err := k.works(); err != nil {
				t.Errorf("%s, %s: %v", s.name, m.where, err)
			}
			for try := 0; r.code != 0 && try < 3; try++ {
				r = rotate(&mortal{}, strings.Fields(deleteKeyHint.FindString(r.stderr))...)
				if err := k.works(); err != nil {
					t.Errorf("%s, %s, afterwards: %v", s.name, m.where, err)
				}
			}
			left, err := k.file.Names(t.Context(), vault.KindJournal)
			if r.code != 0 || err != nil || len(k.user.AccessKeys()) != s.keys || len(left) > 0 {
				t.Errorf("%s, %s: %+v; %d keys, journal %q, %v", s.name, m.where, r, len(k.user.AccessKeys()), left, err)
			}
		})
	}
	k.wantPoints(400)
}

// Wherever on its files an enrolment fails or dies: no device is left that
// nobody knows of, and enrolling again succeeds.
func TestEnrollAtEveryFileOperation(t *testing.T) {
	k := newKeyLife(t)
	config := filepath.Join(homeOf(k.environ), ".aws/config")
	base := k.environ
	for _, strict := range []bool{true, false} {
		fresh := func() {
			if k.Server != nil {
				k.Close()
			}
			k.aws = newAWS()
			if err := k.Start(); err != nil {
				t.Fatal(err)
			}
			k.user.DropDevices()
			seeds, _ := k.file.Names(t.Context(), vault.KindSeed)
			_, _ = vault.RemoveAll(t.Context(), k.file, vault.KindSeed, seeds)
			if strict {
				k.user.RequireMFA(8 * time.Hour)
			}
			k.environ = with(base, k.endpoints()...)
			k.store()
			if err := os.WriteFile(config, []byte("[default]\nregion = eu-west-1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		enroll := func(m *mortal) result {
			c := &mfaEnrollCmd{StoreSeed: !strict}
			return k.process(m, func(ctx context.Context, a *app) error {
				o, err := a.keyOwner(ctx, "default", minting{})
				if err != nil {
					return err
				}
				client, err := o.key(ctx)
				if err != nil {
					return err
				}
				e := c.enroller(a, o, client)
				e.Show = func(context.Context, iam.Device) error { return nil }
				e.Codes = func(_ context.Context, serial, _ string) (string, string, error) {
					d, now := k.Device(serial), time.Now()
					return d.Code(now.Add(-provider.CodePeriod)), d.Code(now), nil
				}
				d, err := e.Enroll(ctx, "")
				if err == nil {
					a.say(d.Serial + " is in use")
				}
				return err
			}, "mfa", "enroll", "default")
		}
		fresh()
		k.atEachPoint(enroll, func(m *mortal, r result) {
			said := r.stderr
			lost := k.unnamed(config, said)
			if r.code != 0 {
				r = enroll(&mortal{})
				said += r.stderr
				lost = append(lost, k.unnamed(config, said)...)
			}
			if len(lost) > 0 {
				t.Errorf("strict %v, %s: nobody knows of %q: %s", strict, m.where, lost, said)
			}
			card, err := vault.GetCard(t.Context(), k.file, "default")
			if d := k.Device(card.MFASerial); r.code != 0 || err != nil || d == nil || !d.Enabled() {
				t.Errorf("strict %v, %s: %+v, card %+v, %v", strict, m.where, r, card, err)
			}
			seeds, err := k.file.Names(t.Context(), vault.KindSeed)
			if err != nil || (len(seeds) > 0) == strict || slices.ContainsFunc(seeds, func(name string) bool { return strings.HasPrefix(name, "pending") }) {
				t.Errorf("strict %v, %s: seeds %q, %v", strict, m.where, seeds, err)
			}
			fresh()
		})
		fresh() // for what the run without a fault has left
	}
	k.wantPoints(150)
}

// unnamed are the devices at AWS that are neither in use here, nor waiting in
// the vault, nor named in what was said.
func (k *keyLife) unnamed(config, said string) []string {
	var all []string
	for n := range 8 {
		name := "myusername"
		if n > 0 {
			name = fmt.Sprintf("myusername-%d", n+1)
		}
		serial := "arn:aws:iam::123456789012:mfa/" + name
		d := k.Device(serial)
		if d == nil || strings.Contains(said, "named "+name+" ") || strings.Contains(said, "named "+name+":") || strings.Contains(said, serial) {
			continue
		}
		pending, err := k.file.Get(k.t.Context(), vault.KindSeed, "pending 123456789012/myusername")
		if err == nil && strings.Contains(string(pending), serial) {
			continue
		}
		c, err := profile.Load(profile.LoadOptions{ConfigFile: config})
		if err == nil && d.Enabled() && c.Value("default", "mfa_serial") == serial {
			continue
		}
		all = append(all, serial)
	}
	return all
}
