package vault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/vaulttest/desktop"
)

// BenchmarkSecretServiceWarm is what a warm command does on the real Secret
// Service: connect, see that the role holds no key, read the card of the key
// that does, and the session. Items are sessions beside them.
func BenchmarkSecretServiceWarm(b *testing.B) {
	promised(b, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	d := desktop.New(b)
	d.GnomeKeyring("pw")
	cfg := secretServiceConfig(d, b)
	v := mustOpen(b, cfg)
	if _, err := vault.PutKey(b.Context(), v, "default", accesskey.Key{ID: "AKID", Secret: "secret"}, vault.Card{}); err != nil {
		b.Fatal(err)
	}
	if err := registryOf(v, cfg).Note("default", "secret-service"); err != nil {
		b.Fatal(err)
	}
	token := []byte(strings.Repeat("t", 1200))
	stored := 0
	name := func(i int) string { return fmt.Sprintf("%064x", i) }
	for _, items := range []int{1, 10, 100, 1000} {
		for ; stored < items; stored++ {
			if err := v.Put(b.Context(), vault.KindSession, name(stored), token); err != nil {
				b.Fatal(err)
			}
		}
		// What the service itself takes for any exact read: to be greeted, a
		// session, one search, one secret.
		b.Run(fmt.Sprintf("floor/items=%d", items), func(b *testing.B) {
			for b.Loop() {
				readOne(b, d, vault.EncodeName(vault.KindSession, name(items/2)))
			}
		})
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			for b.Loop() {
				v := mustOpen(b, cfg)
				r := registryOf(v, cfg)
				if _, err := r.Find(b.Context(), "admin"); !errors.Is(err, vault.ErrNotFound) {
					b.Fatal(err)
				}
				if _, err := r.Find(b.Context(), "default"); err != nil {
					b.Fatal(err)
				}
				if _, err := v.Get(b.Context(), vault.KindSession, name(items/2)); err != nil {
					b.Fatal(err)
				}
				if err := v.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("names=1000", func(b *testing.B) {
		for b.Loop() {
			if names, err := v.Names(b.Context(), vault.KindSession); err != nil || len(names) != 1000 {
				b.Fatal(len(names), err)
			}
		}
	})
}

func readOne(b *testing.B, d *desktop.Desktop, item string) {
	conn, err := dbus.Connect(d.Address())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	service := conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets")
	var output dbus.Variant
	var session dbus.ObjectPath
	if err := service.Call("org.freedesktop.Secret.Service.OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&output, &session); err != nil {
		b.Fatal(err)
	}
	var unlocked, locked []dbus.ObjectPath
	if err := service.Call("org.freedesktop.Secret.Service.SearchItems", 0, map[string]string{"profile": item}).Store(&unlocked, &locked); err != nil || len(unlocked) != 1 {
		b.Fatal(unlocked, locked, err)
	}
	if call := conn.Object("org.freedesktop.secrets", unlocked[0]).Call("org.freedesktop.Secret.Item.GetSecret", 0, session); call.Err != nil {
		b.Fatal(call.Err)
	}
}
