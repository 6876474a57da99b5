//go:build linux

package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

// kwInterface is KWallet's interface; Plasma 5 and 6 differ in the daemon's
// name and path alone (kwalletd's org.kde.KWallet.xml).
const (
	kwInterface = "org.kde.KWallet."
	kwAppID     = "groat" // shown in KWallet's dialogs
)

// kwallet keeps items as entries of one folder of the user's default wallet,
// each a JSON document in the keyring library's layout (its ServiceName is
// the wallet's name). It talks to the daemon directly: the library knows
// Plasma 5 alone, takes a refused wallet's negative handle for a good one, and
// waits for ever.
type kwallet struct {
	environ []string
	noInput bool
	timeout time.Duration // Config.Timeout
	folder  string
	chosen  bool   // the folder: another one will not do, and none is made
	named   string // the wallet; "" = the default one

	mu     sync.Mutex // held while a dialog may be open: one is enough
	bus    *bus
	daemon int // index into kwDaemons
	wallet string
	handle int32 // negative: not open
}

func newKWallet(cfg Config) (*kwallet, error) {
	folder, chosen := cfg.KWalletFolder, cfg.KWalletFolder != ""
	if !chosen {
		folder = "groat"
	}
	if !utf8.ValidString(folder) || strings.ContainsRune(folder, 0) {
		return nil, because(ErrUnavailable, "the name of the folder is not valid UTF-8")
	}
	return &kwallet{environ: cfg.Environ, noInput: cfg.NoInput, timeout: cfg.timeout(), folder: folder, chosen: chosen, handle: -1}, nil
}

func (k *kwallet) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bus == nil {
		return nil
	}
	err := k.bus.close() // the daemon gives the handle up with the connection
	k.bus, k.handle = nil, -1
	return err
}

// ask calls a method of the daemon that asks nobody. k.mu is held.
func (k *kwallet) ask(ctx context.Context, value any, method string, args ...any) error {
	d := kwDaemons[k.daemon]
	body, err := k.bus.ask(ctx, d.name, d.path, kwInterface+method, args...)
	if err != nil {
		return err
	}
	return store(body, value)
}

// open opens the wallet, with KWallet's dialog where it wants one. A refused
// dialog is a negative handle; ErrLocked also when nobody answers it within
// Config.Timeout. k.mu is held.
func (k *kwallet) open(ctx context.Context) error {
	if k.handle >= 0 {
		return nil
	}
	timeout := k.timeout
	if k.noInput {
		var open bool
		if err := k.ask(ctx, &open, "isOpen", k.wallet); err != nil {
			return err
		}
		if !open {
			return mayNotAsk(fmt.Sprintf("the wallet %q is closed", k.wallet))
		}
		timeout = min(timeout, probeTimeout) // it may still ask whether groat may use the wallet
	}
	const remedy = "open the wallet in a desktop session, or choose another backend with --backend"
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := kwDaemons[k.daemon]
	body, err := k.bus.wait(ctx, d.name, d.path, kwInterface+"open", k.wallet, int64(0), kwAppID)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return withRemedy(because(ErrLocked, "nobody opened the wallet %q within %v", k.wallet, timeout), remedy)
	}
	if err != nil {
		return err
	}
	handle := int32(-1)
	if err := store(body, &handle); err != nil {
		return err
	}
	if handle >= 0 {
		k.handle = handle
		return nil
	}
	var enabled bool
	if err := k.ask(ctx, &enabled, "isEnabled"); err == nil && !enabled {
		return because(ErrUnavailable, "KWallet is switched off in the system settings")
	}
	return withRemedy(because(ErrLocked, "opening the wallet %q was refused", k.wallet), remedy)
}

// stillOpen reports whether the handle is good: KWallet answers calls on a
// wallet that was closed meanwhile as if there were no entries.
func (k *kwallet) stillOpen(ctx context.Context) (bool, error) {
	var open bool
	err := k.ask(ctx, &open, "isOpen", k.handle)
	if err == nil && !open {
		k.handle = -1
	}
	return open, err
}

// session runs do with an open wallet. What an older handle does not find is
// looked for again with a new one: it may be of a wallet that was closed, or
// even, their numbers repeating, of a daemon that is no more. absent asks,
// without any dialog, a closed wallet's index of hashes whether the work is vain.
func (k *kwallet) session(ctx context.Context, absent func() (bool, error), do func() (found bool, err error)) (found bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if err := k.connect(ctx, true); err != nil {
			return false, err
		}
		fresh := k.handle < 0
		if fresh && absent != nil {
			gone, err := k.closedWithout(ctx, absent)
			if err == nil && gone {
				err = k.hasFolder(ctx)
			}
			if err != nil || gone {
				return false, err
			}
		}
		if err := k.open(ctx); err != nil {
			return false, err
		}
		if found, err = do(); err != nil || found {
			return found, err
		}
		if fresh {
			open, err := k.stillOpen(ctx)
			if err == nil && !open {
				err = because(ErrLocked, "the wallet %q was closed meanwhile", k.wallet)
			}
			if err == nil {
				err = k.hasFolder(ctx)
			}
			return false, err
		}
		k.handle = -1
	}
}

// hasFolder is an error where somebody named a folder that is not there: what
// is in another one would seem to be lost. k.mu is held.
func (k *kwallet) hasFolder(ctx context.Context) error {
	if !k.chosen {
		return nil
	}
	var has, gone bool
	var err error
	if k.handle >= 0 {
		err = k.ask(ctx, &has, "hasFolder", k.handle, k.folder, kwAppID)
	} else if err = k.ask(ctx, &gone, "folderDoesNotExist", k.wallet, k.folder); err == nil {
		has = !gone
	}
	if err == nil && !has {
		err = withRemedy(because(ErrUnavailable, "the wallet %q has no folder %q", k.wallet, k.folder),
			"create the folder in KWalletManager, or name another with --kwallet-folder")
	}
	return err
}

// closedWithout asks the wallet's index, whose hashes are those of the last
// sync: of an open wallet it proves nothing.
func (k *kwallet) closedWithout(ctx context.Context, absent func() (bool, error)) (bool, error) {
	var open bool
	if err := k.ask(ctx, &open, "isOpen", k.wallet); err != nil || open {
		return false, err
	}
	return absent()
}

// noEntry asks whether a name is certainly not in the wallet.
func (k *kwallet) noEntry(ctx context.Context, name string) func() (bool, error) {
	return func() (gone bool, err error) {
		err = k.ask(ctx, &gone, "keyDoesNotExist", k.wallet, k.folder, name)
		return gone, err
	}
}

func (k *kwallet) get(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	found, err := k.session(ctx, k.noEntry(ctx, name), func() (bool, error) {
		err := k.ask(ctx, &data, "readEntry", k.handle, k.folder, name, kwAppID)
		return len(data) > 0, err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotFound
	}
	var stored keyringItem
	if err := json.Unmarshal(data, &stored); err != nil {
		return nil, because(ErrCorrupt, "groat did not write it") // the cause may quote the secret
	}
	return stored.Data, nil
}

func (k *kwallet) put(ctx context.Context, name string, value []byte) error {
	data, err := json.Marshal(keyringItem{Key: name, Data: value})
	if err != nil {
		return fmt.Errorf("could not encode the item: %w", err)
	}
	written, err := k.session(ctx, nil, func() (bool, error) {
		if err := k.hasFolder(ctx); err != nil {
			return false, err
		}
		status := int32(-1)
		err := k.ask(ctx, &status, "writeEntry", k.handle, k.folder, name, data, kwAppID)
		return status == 0, err
	})
	if err == nil && !written {
		err = because(ErrUnavailable, "KWallet refused to write the entry")
	}
	if err != nil {
		return err
	}
	return k.sync(ctx)
}

func (k *kwallet) remove(ctx context.Context, name string) error {
	found, err := k.session(ctx, k.noEntry(ctx, name), func() (has bool, err error) {
		if err := k.ask(ctx, &has, "hasEntry", k.handle, k.folder, name, kwAppID); err != nil || !has {
			return false, err
		}
		status := int32(-1)
		if err := k.ask(ctx, &status, "removeEntry", k.handle, k.folder, name, kwAppID); err != nil {
			return false, err
		}
		if status != 0 {
			return false, because(ErrUnavailable, "KWallet refused to remove the entry")
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if !found {
		return ErrNotFound
	}
	return k.sync(ctx)
}

func (k *kwallet) names(ctx context.Context, _ Kind) ([]string, error) {
	var names []string
	_, err := k.session(ctx, func() (gone bool, err error) {
		err = k.ask(ctx, &gone, "folderDoesNotExist", k.wallet, k.folder)
		return gone, err
	}, func() (bool, error) {
		err := k.ask(ctx, &names, "entryList", k.handle, k.folder, kwAppID)
		return len(names) > 0, err
	})
	return names, err
}

// sync makes the daemon write the wallet's file now; by itself it would some
// seconds later. The method has no answer, so that a call after it is what
// tells that it is done.
func (k *kwallet) sync(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := kwDaemons[k.daemon]
	call := k.bus.conn.Object(d.name, d.path).Go(kwInterface+"sync", dbus.FlagNoReplyExpected, make(chan *dbus.Call, 1), k.handle, kwAppID)
	if call.Err != nil {
		return busError(ctx, call.Err, d.name)
	}
	open, err := k.stillOpen(ctx)
	if err == nil && !open {
		err = because(ErrLocked, "the wallet was closed while the item was written")
	}
	return err
}
