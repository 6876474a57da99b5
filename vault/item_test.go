package vault

import (
	"regexp"
	"strings"
	"testing"
)

var encodedForm = regexp.MustCompile(`^[a-z]+\.([a-z0-9._-]*[a-z0-9_-])$`)

func TestEncodeName(t *testing.T) {
	for name, want := range map[string]string{
		"prod": "key.prod", "Prod": "key._50rod", "a.b": "key.a.b", "a.": "key.a_2e", "..": "key.._2e", "a_b": "key.a_5fb", "a/b": "key.a_2fb",
	} {
		if got := EncodeName(KindKey, name); got != want {
			t.Errorf("EncodeName(%q) = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"", strings.Repeat("a", 200), strings.Repeat("A", 60)} {
		if got := EncodeName(KindKey, name); !strings.HasPrefix(got, "key._h") || !IsHashed(KindKey, name) {
			t.Errorf("EncodeName(%q) = %q, want a hash", name, got)
		}
	}
	if IsHashed(KindKey, "_h"+strings.Repeat("0", 64)) {
		t.Error("a name that looks like a hash is taken for one")
	}
}

// FuzzEncodeName: every name survives, and has no other name's encoding.
func FuzzEncodeName(f *testing.F) {
	for _, s := range []string{"", "a", "A", "_h", "_5f", "..", "x.", "a/b", "\x00\xff", strings.Repeat("q", 145), strings.Repeat("q", 146), "_x0.1", "key.key"} {
		f.Add(s, strings.ToUpper(s))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, kind := range kinds {
			enc := EncodeName(kind, a)
			if len(enc) > maxEncoded || !encodedForm.MatchString(enc) || strings.Contains(enc, chunkMark) {
				t.Fatalf("EncodeName(%q) = %q", a, enc)
			}
			k, name, hashed, ok := DecodeName(enc)
			if !ok || k != kind || hashed != IsHashed(kind, a) || (!hashed && name != a) {
				t.Fatalf("DecodeName(%q) = %q %q %v %v", enc, k, name, hashed, ok)
			}
			if a != b && enc == EncodeName(kind, b) {
				t.Fatalf("%q and %q share %q", a, b, enc)
			}
		}
		if EncodeName(KindKey, a) == EncodeName(KindCard, a) {
			t.Fatal("kinds share an encoding")
		}
	})
}

// FuzzDecodeName: what is decoded is the one encoding of its name.
func FuzzDecodeName(f *testing.F) {
	for _, s := range []string{"key.prod", "key.", "key", ".key", "key._h", "key._50", "key._5", "KEY.prod", "key.Prod", "key.a_2E", "key._61", "key.prod_x00.1", ".tmp-1", "header.bak", "folder.x",
		"key._h" + strings.Repeat("0", 64), "key._h" + strings.Repeat("A", 64), "key.x."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, enc string) {
		kind, name, hashed, ok := DecodeName(enc)
		if ok && !hashed && EncodeName(kind, name) != enc {
			t.Fatalf("%q decodes to %q, which encodes to %q", enc, name, EncodeName(kind, name))
		}
		if !ok && (kind != "" || name != "") {
			t.Fatalf("%q is refused and gives %q %q", enc, kind, name)
		}
	})
}

func TestDecodeNameRefuses(t *testing.T) {
	for _, enc := range []string{"", "key", "key.", "key.a_2E", "key._61", "key.A", "key.a.", "Key.a", "folder.a", ".tmp-00", "header", "header.bak", "locks", "key.a_x0011223344556677.0", "key._h00", "key._5"} {
		if kind, name, _, ok := DecodeName(enc); ok {
			t.Errorf("DecodeName(%q) = %q %q", enc, kind, name)
		}
	}
}
