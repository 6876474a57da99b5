package vault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"groat/vault/accesskey"
	"groat/vault/vaulttest/format"
)

// judgeFormat has somebody who knows only the format read a vault that is
// guarded by one of these passphrases: every file opens, and what there is of
// the witness, of the key of "p" and of its card is whole and fits together.
func judgeFormat(t *testing.T, dir, what string, passphrases ...string) {
	t.Helper()
	var v format.Vault
	var err error
	for _, passphrase := range passphrases {
		if v, err = format.Read(dir, passphrase); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("%s: by the format alone: %v", what, err)
		return
	}
	if witness, ok := v.Items[format.Item{Kind: "key", Name: "witness"}]; ok && string(witness) != "fine" {
		t.Errorf("%s: by the format alone the other item is %q", what, witness)
	}
	key, held := v.Items[format.Item{Kind: "key", Name: "p"}]
	if !held {
		return
	}
	var k, card map[string]any
	if err := json.Unmarshal(key, &k); err != nil {
		t.Errorf("%s: by the format alone the key is torn: %v", what, err)
	}
	for _, whole := range []accesskey.Key{oldKey, newKey} {
		if k["access_key_id"] == whole.ID && k["secret_access_key"] != whole.Secret {
			t.Errorf("%s: by the format alone the key of %s has another's secret", what, whole.ID)
		}
	}
	if data, ok := v.Items[format.Item{Kind: "card", Name: "p"}]; ok {
		if err := json.Unmarshal(data, &card); err != nil || card["generation"] != k["generation"] || card["access_key_id"] != k["access_key_id"] {
			t.Errorf("%s: by the format alone the card is another key's: %v, %v", what, card, err)
		}
	}
}

// The description of the format says all: who knows nothing else reads what
// groat wrote.
func TestFormatIsAsDescribed(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	want := map[format.Item][]byte{}
	for i, name := range []string{"", "p", "Ünïcode/../x", strings.Repeat("long", 300)} {
		for _, kind := range []Kind{KindKey, KindCard, KindSession, KindToken, KindSeed, KindJournal} {
			data := fmt.Sprint(kind, i)
			mustPut(t, f, kind, name, data)
			want[format.Item{Kind: string(kind), Name: name}] = []byte(data)
		}
	}
	v, err := format.Read(dir, "x")
	if err != nil || v.Copies != 2 || len(v.Left) > 0 || len(v.Items) != len(want) {
		t.Fatalf("%d items, %d headers, left %q, %v", len(v.Items), v.Copies, v.Left, err)
	}
	for item, data := range want {
		if !bytes.Equal(v.Items[item], data) {
			t.Errorf("%v is %q", item, v.Items[item])
		}
	}
	if _, err := format.Read(dir, "y"); err == nil {
		t.Error("it opens with another passphrase")
	}
}
