package vaulttest

import (
	"errors"
	"testing"

	"groat/vault"
	"groat/vault/accesskey"
)

var (
	key1 = accesskey.Key{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	key2 = accesskey.Key{ID: "AKIAI44QH8DHBEXAMPLE", Secret: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"}
)

func cards(t *testing.T, v vault.Vault, _ Options) {
	ctx := t.Context()
	if _, err := vault.GetCard(ctx, v, "p"); !errors.Is(err, vault.ErrNotFound) {
		t.Fatalf("GetCard of no key: %v", err)
	}
	first, err := vault.PutKey(ctx, v, "p", key1, vault.Card{Account: "123456789012", UserName: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if first.Profile != "p" || first.KeyID != key1.ID || first.Generation == "" || first.Backend != v.Backend() || first.Added.IsZero() {
		t.Errorf("PutKey returned %+v", first)
	}
	got, err := vault.GetCard(ctx, v, "p")
	if err != nil || got != first {
		t.Fatalf("GetCard: %+v, %v; want %+v", got, err, first)
	}
	key, err := vault.GetKey(ctx, v, "p")
	if err != nil || key.ID != key1.ID || key.Secret != key1.Secret || key.Generation != first.Generation {
		t.Fatalf("GetKey: %v, %v", key, err)
	}
	second, err := vault.PutKey(ctx, v, "p", key1, vault.Card{})
	if err != nil || second.Generation == first.Generation {
		t.Errorf("storing the same key again kept generation %q (%v)", second.Generation, err)
	}
	changed, err := vault.SetCard(ctx, v, "p", func(c *vault.Card) { c.MFASerial, c.KeyID = "GAHT12345678", "AKIAFORGED" })
	if err != nil || changed.MFASerial != "GAHT12345678" || changed.KeyID != key1.ID {
		t.Errorf("SetCard: %+v, %v", changed, err)
	}
	if _, err := vault.PutKey(ctx, v, "q", key2, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	all, err := vault.Keys(ctx, v)
	if err != nil || len(all) != 2 || all[0] != changed || all[1].KeyID != key2.ID {
		t.Errorf("Keys: %+v, %v", all, err)
	}
	if err := vault.RemoveKey(ctx, v, "p"); err != nil {
		t.Fatal(err)
	}
	if err := vault.RemoveKey(ctx, v, "p"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("second RemoveKey: %v", err)
	}
	if _, err := vault.GetCard(ctx, v, "p"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("GetCard after RemoveKey: %v", err)
	}
	wantNames(t, v, vault.KindCard, "q")
	wantNames(t, v, vault.KindKey, "q")
}

// lostCards: a missing, foreign or meaningless card comes back from the key.
func lostCards(t *testing.T, v vault.Vault, _ Options) {
	ctx := t.Context()
	want, err := vault.PutKey(ctx, v, "p", key1, vault.Card{Account: "123456789012", MFASerial: "arn:aws:iam::123456789012:mfa/alice"})
	if err != nil {
		t.Fatal(err)
	}
	for _, card := range []string{"", "null", "{}", "[]", `{"profile":"q","access_key_id":"AKIA","generation":"1"}`, "\x00\xff"} {
		if card == "" {
			err = v.Remove(ctx, vault.KindCard, "p")
		} else {
			err = v.Put(ctx, vault.KindCard, "p", []byte(card))
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := vault.GetCard(ctx, v, "p"); err != nil || got != want {
			t.Errorf("card %q: rebuilt %+v, %v; want %+v", card, got, err, want)
		}
		if _, err := v.Get(ctx, vault.KindCard, "p"); err != nil {
			t.Errorf("card %q was not stored again: %v", card, err)
		}
	}
}

func damagedKeys(t *testing.T, v vault.Vault, _ Options) {
	ctx := t.Context()
	if _, err := vault.PutKey(ctx, v, "good", key1, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{"", "null", "{}", "[]", "7", `{"access_key_id":"AK"}`, `{"access_key_id":"AK","secret_access_key":"s"}`, "\x00"} {
		put(t, v, vault.KindKey, "bad", []byte(item))
		if _, err := vault.GetKey(ctx, v, "bad"); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("key item %q: %v, want ErrCorrupt", item, err)
		}
		if _, err := vault.GetCard(ctx, v, "bad"); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("card of key item %q: %v, want ErrCorrupt", item, err)
		}
		all, err := vault.Keys(ctx, v)
		if !errors.Is(err, vault.ErrCorrupt) || len(all) != 1 || all[0].Profile != "good" {
			t.Errorf("Keys beside key item %q: %+v, %v", item, all, err)
		}
	}
}
