package vault

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"time"

	"groat/vault/files"
)

const vaultLock = "vault" // held by every write

// PromptAttempts bounds how often a prompt is asked again after a wrong answer.
const PromptAttempts = 3

// rememberPrompted is how long a prompted passphrase opens the vault.
const rememberPrompted = time.Hour

var errNoHeader = headerError("both copies of the vault's header are missing")

// An older header opens with an older passphrase: who put it back must not
// have it made the newest again.
var errOldHeader = headerError("an older copy of the vault's header was put back")

// unlock returns the header and the key that opens the items: the seed key
// when seed is set. In this order: the key this process already has, the one
// the kernel remembers (never for seeds), the passphrase.
func (f *File) unlock(ctx context.Context, seed bool) (*header, vaultKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unlockHeld(ctx, seed)
}

func (f *File) unlockHeld(ctx context.Context, seed bool) (_ *header, _ vaultKey, failed error) {
	raw, h, err := f.readHeader()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, vaultKey{}, errNoHeader // there is an item, or we would not be here
	}
	if err != nil {
		return nil, vaultKey{}, err
	}
	if err := f.checkNewest(raw, h); err != nil {
		return nil, vaultKey{}, err
	}
	if !f.last.twice && !f.cfg.LookOnly {
		defer func() {
			if failed == nil { // its seal was opened
				f.repair(ctx, raw)
			}
		}()
	}
	if key, ok := f.known(raw, h, seed); ok {
		return h, key, nil
	}
	// One prompt and one KDF at a time: whoever waits here may find the key
	// remembered by the one before, or be handed it.
	if f.cfg.AskAlone != nil {
		var access *files.AccessError
		if err := f.disk.CheckFolder(f.locks.Dir); errors.As(err, &access) {
			return nil, vaultKey{}, err // the key would be handed over in it
		}
		proof := f.proof(raw)
		handed := func(wait time.Duration) bool {
			if _, ok := f.known(raw, h, seed); ok || seed || proof == nil {
				return ok
			}
			key, ok := f.others.take(ctx, proof, h.opens, wait)
			if ok {
				f.debugf("another process handed over the vault key")
				f.raw, f.key = raw, &key
			}
			return ok
		}
		// Where somebody derives already, the answer comes without a turn, and
		// without looking for it time and again.
		begin := time.Now()
		taken := handed(handoverPatience)
		if patience := handoverPatience - time.Since(begin); !taken {
			release, err := f.cfg.AskAlone(ctx, func() bool { return handed(0) })
			if err != nil {
				return nil, vaultKey{}, err
			}
			defer func() { release(failed) }()
			taken = handed(patience)
		}
		if taken {
			key, _ := f.known(raw, h, seed)
			return h, key, nil
		}
		if proof != nil {
			f.others.listen()
			defer func() {
				if f.key == nil {
					f.others.close()
					return
				}
				f.others.serve(proof, *f.key)
			}()
		}
	}
	if err := f.askAndOpen(ctx, raw, h); err != nil {
		return nil, vaultKey{}, err
	}
	key, _ := f.known(raw, h, seed)
	return h, key, nil
}

// checkNewest refuses a header older than one that this process or the
// kernel remembers, whatever passphrase opens it.
func (f *File) checkNewest(raw []byte, h *header) error {
	if bytes.Equal(raw, f.raw) {
		return nil
	}
	if opened, err := parseHeader(f.raw); err == nil && opened.newer(h) {
		return errOldHeader
	}
	m, ok := f.memory.load(h.id)
	if !ok || m.generation == h.generation || !h.opens(m.key) {
		return nil
	}
	if m.generation > h.generation {
		return errOldHeader
	}
	_ = f.memory.store(h.id, m.key, h.generation, m.left) // a new passphrase was chosen
	return nil
}

// proof is what shows other processes that this one has the passphrase; nil
// where it would have to be asked for.
func (f *File) proof(raw []byte) []byte {
	if f.cfg.Given == nil {
		return nil
	}
	passphrase, ok := f.cfg.Given()
	if !ok {
		return nil
	}
	defer clear(passphrase)
	return proofOf(passphrase, raw)
}

// known gives the key without asking.
func (f *File) known(raw []byte, h *header, seed bool) (vaultKey, bool) {
	if !bytes.Equal(raw, f.raw) {
		f.forget() // another passphrase, or another vault, since
	}
	if seed {
		if f.seed == nil {
			return vaultKey{}, false
		}
		return *f.seed, true
	}
	if f.key != nil {
		return *f.key, true
	}
	m, ok := f.memory.load(h.id)
	if !ok || !h.opens(m.key) {
		return vaultKey{}, false
	}
	f.raw, f.key = raw, &m.key
	return m.key, true
}

// askAndOpen asks for the passphrase and lets the kernel remember the key.
func (f *File) askAndOpen(ctx context.Context, raw []byte, h *header) error {
	key, seedKey, origin, err := f.askUntilOpen(ctx, h)
	if err != nil {
		return err
	}
	f.raw, f.key, f.seed = raw, &key, &seedKey
	f.remember(h, key, origin)
	return nil
}

// askUntilOpen asks for the passphrase until it opens the header. Only a
// prompt is asked again, since a variable would give the same answer.
func (f *File) askUntilOpen(ctx context.Context, h *header) (key, seedKey vaultKey, origin PassphraseOrigin, err error) {
	for attempt := 1; ; attempt++ {
		passphrase, origin, err := f.ask(ctx, PassphraseRequest{Path: f.dir, Attempt: attempt})
		if err != nil {
			return key, seedKey, origin, err
		}
		f.debugf("derive the vault key from the passphrase (%s)", origin)
		key, seedKey, err := h.open(passphrase)
		clear(passphrase)
		if err == nil || !errors.Is(err, ErrPassphrase) || origin != FromPrompt || attempt == PromptAttempts {
			return key, seedKey, origin, err
		}
	}
}

func (f *File) ask(ctx context.Context, req PassphraseRequest) ([]byte, PassphraseOrigin, error) {
	if f.cfg.Passphrase == nil {
		return nil, "", because(ErrLocked, "there is no way to ask for the passphrase")
	}
	return f.cfg.Passphrase(ctx, req)
}

// remember is best effort: a full or forbidden keyring costs a question later.
func (f *File) remember(h *header, key vaultKey, origin PassphraseOrigin) {
	var d time.Duration
	switch {
	case f.cfg.UnlockFor != nil:
		d = *f.cfg.UnlockFor
	case origin == FromPrompt:
		d = rememberPrompted
	}
	if d > 0 {
		_ = f.memory.store(h.id, key, h.generation, d)
	}
}

// unlockForWriting is unlock under the vault's lock, which is returned held.
// Where there is no vault yet, it makes one.
//
// Where the lock cannot be had, a session is written all the same, and there
// is nothing to release: it replaces one file at once, a lost one is minted
// anew, and all who wait for it would mint one after the other without it.
func (f *File) unlockForWriting(ctx context.Context, kind Kind) (*header, vaultKey, func(), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range 3 { // the header changes under our hands at most as often as somebody changes the passphrase
		_, _, err := f.readHeader()
		if errors.Is(err, fs.ErrNotExist) {
			if err := f.create(ctx); err != nil {
				return nil, vaultKey{}, nil, err
			}
		} else if err != nil {
			return nil, vaultKey{}, nil, err
		}
		h, key, err := f.unlockHeld(ctx, kind == KindSeed)
		if err != nil {
			return nil, vaultKey{}, nil, err
		}
		release, err := f.Hold(ctx, vaultLock)
		if err != nil && kind == KindSession && ctx.Err() == nil {
			return h, key, nil, nil
		}
		if err != nil {
			return nil, vaultKey{}, nil, err
		}
		raw, _, err := f.readHeader()
		if err == nil && bytes.Equal(raw, f.raw) {
			if !f.last.twice {
				err = f.mirror(raw)
			}
			if err != nil {
				release()
				return nil, vaultKey{}, nil, err
			}
			return h, key, release, nil
		}
		release()
	}
	return nil, vaultKey{}, nil, because(ErrUnavailable, "the vault's header keeps changing")
}

// A good header of another vault beside ours is no damage to be repaired: one
// of the two was put there by mistake, and whichever is written over may be
// the only key to the items.
var errTwoVaults = headerError("header and header.bak belong to two vaults")
