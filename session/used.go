package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// UsedCodes remembers, across processes, which token codes were already given
// to AWS: a code is good for one call only (RFC 6238 section 5.2), and a
// second attempt with it is a refusal that counts against the user.
//
// The memory is a small file. Codes stand in it as hashes; that hides nothing
// from somebody who tries a million of them, but a code in it is spent, or
// dead 90 seconds later.
type UsedCodes struct {
	Path string // its directory is created 0700; a file Path + ".lock" stands beside it
	Now  func() time.Time
	Warn func(msg string) // one line; nil drops it
}

// codeMemory is how long a typed code is remembered. Its digits may come
// again by chance, one in a million per step, so not for ever.
const codeMemory = time.Hour

// maxUsed bounds the file, in bytes.
const maxUsed = 1 << 20

// clockSteps is how far in the future a time step may lie: the next one, for
// a generator that is ahead, and one more for a clock that differs a little.
const clockSteps = 2

// UsedCodes is the memory shared by all who use this cache's directory of locks.
func (c *Cache) UsedCodes() *UsedCodes {
	u := &UsedCodes{Now: c.now, Warn: c.warn}
	if c.Flight.Dir != "" {
		u.Path = filepath.Join(c.Flight.Dir, "state", "used-codes.json")
	}
	return u
}

// usedFile is the file: device → what it has taken.
type usedFile map[string]usedDevice

type usedDevice struct {
	Step  int64                `json:"step,omitempty"`  // the highest time step a generated code was used of
	Codes map[string]time.Time `json:"codes,omitempty"` // hash of a code → when it was used
}

// Use marks the code as used and reports whether it was still unused: check
// and mark are one step among all processes. Mark a code before it is sent.
//
// step is the code's RFC 6238 time step (Unix time / 30 s) for a generated
// code, 0 for a typed one. A generated code of a step no later than one
// already used is used, too.
//
// If the memory cannot be kept (no directory, a full disk) the code counts as
// unused, with a warning: AWS refuses it if it is not. The error is ctx's.
func (u *UsedCodes) Use(ctx context.Context, serial, code string, step int64) (bool, error) {
	fresh := true
	err := u.update(ctx, func(f usedFile, now time.Time) {
		device := digest(serial)
		d := f[device]
		if d.Codes == nil {
			d.Codes = map[string]time.Time{}
		}
		_, taken := d.Codes[digest(serial, code)]
		fresh = !taken && (step == 0 || step > d.Step)
		if !taken {
			d.Codes[digest(serial, code)] = now
		}
		d.Step = max(d.Step, step)
		f[device] = d
	})
	return fresh, err
}

// Forget takes a mark back: the code was never sent, because AWS could not be
// reached at all.
func (u *UsedCodes) Forget(ctx context.Context, serial, code string, step int64) error {
	return u.update(ctx, func(f usedFile, _ time.Time) {
		d, ok := f[digest(serial)]
		if !ok {
			return
		}
		delete(d.Codes, digest(serial, code))
		if step != 0 && d.Step == step {
			d.Step = step - 1
		}
		f[digest(serial)] = d
	})
}

// update changes the file under its lock. Only ctx's end is an error; all
// else is a warning.
func (u *UsedCodes) update(ctx context.Context, change func(usedFile, time.Time)) error {
	now := time.Now
	if u.Now != nil {
		now = u.Now
	}
	err := u.locked(ctx, func() error {
		f, err := u.read(now())
		if err != nil {
			return err
		}
		change(f, now().UTC().Truncate(time.Second))
		return u.write(f)
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil && u.Warn != nil {
		u.Warn(fmt.Sprintf("could not remember that a token code was used: %v", err))
	}
	return nil
}

func (u *UsedCodes) locked(ctx context.Context, work func() error) error {
	if u.Path == "" {
		return errors.New("no state directory")
	}
	if err := makeState(filepath.Dir(u.Path)); err != nil {
		return err
	}
	// Held for a few milliseconds only; a holder that is stopped in them must
	// not stop everybody.
	patience, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	l := flock.New(u.Path+".lock", flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(patience, 5*time.Millisecond); err != nil {
		return fmt.Errorf("could not lock %q: %w", u.Path, err)
	}
	defer func() { _ = l.Unlock() }()
	return work()
}

// makeState makes the folder of what is remembered among the locks. Neither it
// nor theirs may be anybody else's.
func makeState(dir string) error {
	disk := files.Disk{}
	if err := disk.MakeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	return disk.MakeFolder(dir)
}

// read drops what is too old to matter. A file that is no JSON of ours is
// started anew: forgetting costs one refused code at worst.
func (u *UsedCodes) read(now time.Time) (usedFile, error) {
	data, err := files.Read(u.Path, maxUsed, files.Private)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f := usedFile{}
	if json.Unmarshal(data, &f) != nil || f == nil {
		return usedFile{}, nil
	}
	for device, d := range f {
		for code, at := range d.Codes {
			if age := now.Sub(at); age > codeMemory || age < -codeMemory {
				delete(d.Codes, code)
			}
		}
		// A step of the future was marked under a wrong clock, by which AWS
		// took no code of it, and would refuse every code until then.
		if d.Step > now.Unix()/30+clockSteps {
			d.Step = 0
		}
		f[device] = d
		if len(d.Codes) == 0 && d.Step < now.Add(-codeMemory).Unix()/30 {
			delete(f, device)
		}
	}
	return f, nil
}

func (u *UsedCodes) write(f usedFile) error {
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	// Under the lock there is one writer: what a killed one left is stale.
	disk := files.Disk{}
	disk.Sweep(filepath.Dir(u.Path))
	err = disk.Write(u.Path, data)
	// A full disk has room for what stands there already. Half a file, if it
	// comes to that, is one started anew.
	if err != nil && overwrite(u.Path, data) == nil {
		return nil
	}
	return err
}

// overwrite replaces an existing file's content in the place it has.
func overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

func digest(fields ...string) string {
	sum := sha256.Sum256([]byte(NewKey(fields...)))
	return hex.EncodeToString(sum[:16])
}
