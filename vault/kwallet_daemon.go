//go:build linux

package vault

import (
	"context"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// kwDaemons are the daemons' bus names and object paths, the newest first.
var kwDaemons = []struct {
	name string
	path dbus.ObjectPath
}{
	{"org.kde.kwalletd6", "/modules/kwalletd6"},
	{"org.kde.kwalletd5", "/modules/kwalletd5"},
}

// connect finds the daemon and the default wallet, once per connection. A
// daemon that runs is preferred over one that the bus would start, which is
// only done if start is set. k.mu is held.
func (k *kwallet) connect(ctx context.Context, start bool) error {
	if k.bus != nil && k.bus.conn.Connected() {
		return nil
	}
	if k.bus != nil {
		_ = k.bus.close()
	}
	b, err := dialBus(ctx, k.environ, k.timeout)
	if err != nil {
		return err
	}
	k.bus, k.handle = b, -1
	if err := k.findDaemon(ctx, start); err != nil {
		_ = b.close()
		k.bus = nil
		return err
	}
	return nil
}

func (k *kwallet) findDaemon(ctx context.Context, start bool) error {
	none := absent{because(ErrUnavailable, "no KWallet daemon (kwalletd6, kwalletd5) runs on the session bus")}
	order, running := []int{}, false
	for i, d := range kwDaemons {
		var runs bool
		body, err := k.bus.ask(ctx, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", d.name)
		if err == nil {
			err = store(body, &runs)
		}
		if err != nil {
			return err
		}
		if runs {
			order, running = append([]int{i}, order...), true
			break
		}
		order = append(order, i)
	}
	if !running && !start {
		return none
	}
	for _, i := range order {
		k.daemon = i
		err := k.ask(ctx, &k.wallet, "networkWallet")
		if busFault(err, "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner") || isNoObject(err) ||
			strings.HasPrefix(faultName(err), "org.freedesktop.DBus.Error.Spawn") {
			continue
		}
		if err != nil {
			return err
		}
		if k.wallet == "" {
			k.wallet = "kdewallet"
		}
		if k.named != "" {
			k.wallet = k.named
		}
		return nil
	}
	return none
}

// probe reports why a first use would fail. Outside of KDE it starts no
// daemon, which would greet people with a wizard for a wallet they never had.
func (k *kwallet) probe(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	kde := slices.Contains(strings.Split(lookup(k.environ, "XDG_CURRENT_DESKTOP"), ":"), "KDE")
	if err := k.connect(ctx, kde); err != nil {
		return err
	}
	var enabled, open bool
	if err := k.ask(ctx, &enabled, "isEnabled"); err != nil {
		return err
	}
	if !enabled {
		return because(ErrUnavailable, "KWallet is switched off in the system settings")
	}
	if err := k.ask(ctx, &open, "isOpen", k.wallet); err != nil {
		return err
	}
	if !open && (k.noInput || !hasDisplay(k.environ)) {
		return because(ErrLocked, "the wallet %q is closed, and there is no way to ask for its password", k.wallet)
	}
	return nil
}
