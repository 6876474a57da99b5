package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jose "github.com/dvsekhvalnov/jose2go"
)

// counted opens the vault of dir without a passphrase, by the key that m
// remembers, and counts its operations on files by kind and name.
func counted(dir string, m *fakeMemory) (*File, map[string]int) {
	f, _ := testFile(dir, nobody())
	ops := map[string]int{}
	f.memory = m
	f.disk.Before = func(op, path string) error {
		ops[op+" "+filepath.Base(path)]++
		ops[op]++
		return nil
	}
	return f, ops
}

// TestFileListReadsNoKey: the cards of a thousand keys are read, and not one
// of the keys.
func TestFileListReadsNoKey(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	ctx := t.Context()
	mustPut(t, f, KindJournal, "x", "")
	if err := f.Unlock(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	h := f.headerOf(t)
	for i := range 1000 { // as PutKey would, without a thousand syncs
		name := fmt.Sprintf("profile-%04d", i)
		card := fmt.Sprintf(`{"profile":%q,"access_key_id":"AKIA%012d","generation":"1","backend":"file"}`, name, i)
		mustWrite(t, f.path(KindCard, name), h.sealItem(*f.key, KindCard, name, []byte(card)))
		mustWrite(t, f.path(KindKey, name), h.sealItem(*f.key, KindKey, name, []byte("{}")))
	}
	g, ops := counted(dir, m)
	cards, err := Keys(ctx, g)
	if err != nil || len(cards) != 1000 || cards[999].KeyID != "AKIA000000000999" {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	for op, n := range ops {
		if strings.HasPrefix(op, "open key.") {
			t.Errorf("%s: %d", op, n)
		}
	}
	if ops["readdir"] != 1 || ops["create"]+ops["remove"]+ops["write"] != 0 {
		t.Errorf("listed %d times, wrote %d", ops["readdir"], ops["create"])
	}
}

// TestFileWarmRead: a read by a remembered key is both copies of the header and the item,
// by exact name; no listing, no write, no key derivation.
func TestFileWarmRead(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	ctx := t.Context()
	mustPut(t, f, KindSession, "s", "session")
	if err := f.Unlock(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	g, ops := counted(dir, m)
	wantGet(t, g, KindSession, "s", "session")
	want := map[string]int{
		"lstat": 1, "lstat vault": 1, "open": 3, "read": 3,
		"open session.s": 1, "read session.s": 1, "open header": 1, "read header": 1, "open header.bak": 1, "read header.bak": 1,
	}
	for op, n := range ops {
		if want[op] != n {
			t.Errorf("%s: %d times, want %d", op, n, want[op])
		}
	}
}

// FuzzOpenItem: nothing but what was sealed opens.
func FuzzOpenItem(f *testing.F) {
	h, key, _ := newHeader([]byte("x"), leastCost)
	good := h.sealItem(key, KindKey, "prod", []byte("data"))
	for _, seed := range [][]byte{good, good[:len(good)-1], h.sealItem(key, KindKey, "dev", nil), h.sealItem(vaultKey{}, KindKey, "prod", nil), itemMagic, nil, []byte("groat\x00i\x01\xff\xff\xff\xff")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		data, err := h.openItem(key, KindKey, "prod", file)
		if err == nil && string(file) != string(good) {
			t.Fatalf("%q was believed: %q", file, data)
		}
		_, _, _ = itemLabel(file)
	})
}

// FuzzParseHeader: what is parsed is written back byte for byte, and its key
// derivation is within bounds.
func FuzzParseHeader(f *testing.F) {
	h, _, _ := newHeader([]byte("x"), leastCost)
	f.Add(h.encode())
	f.Add(h.encode()[:headerLen-1])
	f.Add(checksummed(make([]byte, headerLen)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, b := range [][]byte{raw, checksummed(append(append([]byte{}, raw...), make([]byte, headerLen)...)[:headerLen])} {
			h, err := parseHeader(b)
			if err != nil {
				continue
			}
			if string(h.encode()) != string(b) || h.kdf.check() != nil {
				t.Fatalf("%x parses as %+v", b, h)
			}
		}
	})
}

// FuzzCheckJOSE: what passes asks for no more work than the bounds allow, and
// only what the holder of the passphrase wrote opens.
func FuzzCheckJOSE(f *testing.F) {
	genuine, err := jose.Encrypt("payload", joseAlg, joseEnc, "known", jose.Headers(map[string]any{"p2c": minP2C}))
	if err != nil || checkJOSE([]byte(genuine)) != nil {
		f.Fatal(err, checkJOSE([]byte(genuine)))
	}
	for _, s := range []string{"", "....", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJlbmMiOiJBMjU2R0NNIiwicDJjIjo4MTkyLCJwMnMiOiJBQUFBQUFBQUFBQUFBQUFBIn0." + strings.Repeat("A", 54) + "." + strings.Repeat("A", 16) + ".AA." + strings.Repeat("A", 22), genuine, genuine[:len(genuine)-1] + "A"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		if checkJOSE(token) != nil {
			return
		}
		_, opened := decrypt(token, "known")
		if _, ok := decrypt(token, "x"); ok || opened && string(token) != genuine {
			t.Fatalf("%q was opened by a guess", token)
		}
	})
}

// TestFileRemovesManyAtOnce: one listing and one sync, however many go; what
// is missing or stands in the way ends nothing.
func TestFileRemovesManyAtOnce(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	ctx := t.Context()
	names := []string{"missing"}
	mustPut(t, f, KindJournal, "x", "")
	if err := os.Mkdir(f.path(KindSession, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		names = append(names, fmt.Sprint(i))
		mustWrite(t, f.path(KindSession, fmt.Sprint(i)), []byte("anything"))
	}
	g, ops := counted(dir, m)
	n, err := RemoveAll(ctx, g, KindSession, append(names, "in the way"))
	if n != 100 || !errors.Is(err, ErrCorrupt) || ops["syncdir"] != 1 || ops["readdir"] != 1 || ops["remove"] != 100 || ops["lstat "+filepath.Base(dir)] != 1 {
		t.Errorf("%d removed, %v, operations %v", n, err, ops)
	}
	if left, err := f.Names(ctx, KindSession); len(left) != 0 || err != nil {
		t.Errorf("%v are left, %v", left, err)
	}
	if n, err := RemoveAll(ctx, g, KindSession, names); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
