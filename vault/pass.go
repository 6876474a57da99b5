//go:build linux || darwin

package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"groat/vault/files"
)

// pass keeps items in the standard Unix password manager
// (https://www.passwordstore.org), PREFIX/NAME each, as the JSON that the
// keyring library stores there. The library is not used: it hands gpg's
// stderr to ours, calls every failure "exit status 2", waits for ever, and
// lets a prefix climb out of the store.
//
// Names in a store are visible to everybody who can read its directory; its
// git history keeps removed items, sealed, for ever.
type pass struct {
	cmd     string // path of the program
	dir     string // of the store
	prefix  string
	environ []string
	timeout time.Duration // Config.Timeout: pinentry may be open
	cards   passCards
	noInput bool
}

func hasPass(cfg Config) bool {
	p, err := newPass(cfg)
	return err == nil && p.ready() == nil
}

func openForeignPass(cfg Config) (foreignStore, error) {
	p, err := newPass(cfg)
	if err != nil {
		return nil, err
	}
	return foreignItems{p, nil}, nil
}

func openPass(cfg Config) (Vault, error) {
	p, err := newPass(cfg)
	if err != nil {
		return nil, err
	}
	p.cards = passCards{p.folder(), cfg.under("pass")}
	v := newOSVault(cfg, "pass", p)
	v.verify = false // reading back would ask for the PIN
	return v, nil
}

func newPass(cfg Config) (*pass, error) {
	p := &pass{dir: cfg.PassDir, prefix: cfg.PassPrefix, timeout: cfg.timeout(), noInput: cfg.NoInput}
	if p.dir == "" {
		p.dir = lookup(cfg.Environ, "PASSWORD_STORE_DIR")
	}
	home := lookup(cfg.Environ, "HOME")
	if rest, ok := strings.CutPrefix(p.dir, "~/"); ok && home != "" {
		p.dir = filepath.Join(home, rest)
	}
	if p.dir == "" {
		p.dir = filepath.Join(home, ".password-store")
	}
	if p.prefix == "" {
		p.prefix = "groat"
	}
	if !filepath.IsLocal(p.prefix) || strings.HasPrefix(p.prefix, "-") || strings.ContainsAny(p.prefix, "\x00\n") {
		return nil, because(ErrUnavailable, "the prefix %q leads out of the password store", p.prefix)
	}
	program := cfg.PassCmd
	if program == "" {
		program = "pass"
	}
	p.cmd = findProgram(cfg.Environ, program)
	if p.cmd == "" {
		return nil, because(ErrUnavailable, "there is no program %q", program)
	}
	p.environ = passEnviron(cfg.Environ, p.dir, cfg.NoInput)
	return p, nil
}

// passEnviron is what pass and gpg see: what they are handed, and gpg's machine-readable
// status lines on stderr, which no language changes.
func passEnviron(environ []string, dir string, noInput bool) []string {
	var out []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if name == "PASSWORD_STORE_DIR" || name == "PASSWORD_STORE_GPG_OPTS" {
			continue
		}
		out = append(out, kv)
	}
	opts := strings.TrimSpace(lookup(environ, "PASSWORD_STORE_GPG_OPTS") + " --status-fd=2")
	if noInput {
		opts += " --pinentry-mode=error" // what the agent remembers still serves
	}
	return append(out, "PASSWORD_STORE_DIR="+dir, "PASSWORD_STORE_GPG_OPTS="+opts)
}

// ready reports whether `pass init` was run for our folder or the store.
func (p *pass) ready() error {
	for dir := filepath.Join(p.dir, p.prefix); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, ".gpg-id")); err == nil && info.Mode().IsRegular() {
			return nil
		}
		if len(dir) <= len(filepath.Clean(p.dir)) {
			return withRemedy(because(ErrUnavailable, "the password store %s is not initialised", p.dir), "run `pass init` with the ID of your gpg key")
		}
	}
}

func (p *pass) folder() string { return filepath.Join(p.dir, p.prefix) }

// exists reports whether an item has a file. Names are ours and cannot climb.
func (p *pass) exists(name string) error {
	info, err := os.Stat(filepath.Join(p.folder(), name+".gpg"))
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular():
		// In a store that is not there (a service without PASSWORD_STORE_DIR)
		// nothing is missing: it is the wrong one.
		if err := p.ready(); err != nil {
			return err
		}
		return ErrNotFound
	case err != nil:
		return because(ErrUnavailable, "%w", err)
	}
	return nil
}

func (p *pass) get(ctx context.Context, name string) ([]byte, error) {
	if err := p.exists(name); err != nil {
		return nil, err
	}
	sealed := p.cards.sealed(name)
	if item, ok := p.cards.load(name, sealed); ok {
		return item, nil
	}
	out, err := p.run(ctx, nil, "show", "--", p.prefix+"/"+name)
	if err != nil {
		return nil, err
	}
	defer clear(out)
	var stored keyringItem
	if err := json.Unmarshal(out, &stored); err != nil {
		return nil, because(ErrCorrupt, "groat did not write it") // the cause may quote the secret
	}
	if bytes.Equal(sealed, p.cards.sealed(name)) { // else it was replaced meanwhile, and which one was opened is open
		p.cards.save(name, sealed, stored.Data)
	}
	return stored.Data, nil
}

// passNew ends the name under which an item is written before it takes its
// place: gpg writes into the file it is told to, and a full disk would leave
// neither the old item nor the new one. 'n' is no hex digit, so that no
// encoded name ends like this.
const passNew = "_new"

func (p *pass) put(ctx context.Context, name string, value []byte) error {
	if err := p.ready(); err != nil {
		return err
	}
	data, err := json.Marshal(keyringItem{Key: name, Data: value})
	if err != nil {
		return fmt.Errorf("could not encode the item: %w", err)
	}
	item, temp := p.prefix+"/"+name, p.prefix+"/"+name+passNew
	_, err = p.run(ctx, data, "insert", "--multiline", "--force", "--", temp)
	if err == nil {
		// Some failures of gpg's do not reach pass's exit code.
		if info, serr := os.Stat(filepath.Join(p.folder(), name+passNew+".gpg")); serr != nil || info.Size() == 0 {
			err = because(ErrUnavailable, "pass accepted the item but stored nothing")
		}
	}
	if err == nil {
		_, err = p.run(ctx, nil, "mv", "--force", "--", temp, item)
	}
	if err != nil && p.exists(name+passNew) == nil {
		_, _ = p.run(context.WithoutCancel(ctx), nil, "rm", "--force", "--", temp)
	}
	return err
}

func (p *pass) remove(ctx context.Context, name string) error {
	if err := p.exists(name); err != nil {
		return err
	}
	p.cards.drop(name)
	_, err := p.run(ctx, nil, "rm", "--force", "--", p.prefix+"/"+name)
	return err
}

// names lists our folder: regular *.gpg files, no dotfiles, no folders.
func (p *pass) names(context.Context, Kind) ([]string, error) {
	entries, err := os.ReadDir(p.folder())
	if errors.Is(err, os.ErrNotExist) {
		return nil, p.ready()
	}
	if err != nil {
		return nil, because(ErrUnavailable, "%w", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".gpg"); ok && e.Type().IsRegular() {
			names = append(names, name)
		}
	}
	return names, nil
}

func (p *pass) close() error { return nil }

// run runs pass. Its output and gpg's go to nobody else; the error tells
// gpg's failures apart.
func (p *pass) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	stdout, stderr := files.Bounded{Max: 4 * MaxItem}, files.Bounded{Max: 64 << 10}
	cmd := exec.CommandContext(ctx, p.cmd, args...)
	cmd.Env = p.environ
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ownGroup(cmd)               // gpg and pass are ended together
	cmd.WaitDelay = time.Second // and gpg-agent may hold our pipes open
	err := cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, because(ErrLocked, "gpg's question was not answered within %v", p.timeout)
	case ctx.Err() != nil:
		return nil, context.Canceled
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // done, but an agent that it started holds our pipes
		err = explainGPG(err, stderr.String())
		if p.noInput && errors.Is(err, ErrLocked) {
			err = mayNotAsk("gpg wants to ask for the passphrase or the card of its key")
		}
		return nil, err
	}
	return stdout.Bytes(), nil
}
