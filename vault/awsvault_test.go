package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/keyring"
	jose "github.com/dvsekhvalnov/jose2go"

	"groat/vault"
)

const (
	awsVaultWord = "the old passphrase"
	oldID        = "AKIAIOSFODNN7EXAMPLE"
	oldSecret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// oldVault writes items with the library and the layout that aws-vault uses.
func oldVault(t testing.TB, profiles ...string) string {
	t.Helper()
	dir := t.TempDir()
	k, err := keyring.Open(keyring.Config{
		ServiceName: "aws-vault", AllowedBackends: []keyring.BackendType{keyring.FileBackend},
		FileDir: dir, FilePasswordFunc: keyring.FixedStringPrompt(awsVaultWord),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		data := fmt.Sprintf(`{"AccessKeyID":%q,"SecretAccessKey":%q,"SessionToken":"","Source":"","CanExpire":false,"Expires":"0001-01-01T00:00:00Z"}`, oldID, oldSecret)
		if err := k.Set(keyring.Item{Key: p, Label: "aws-vault (" + p + ")", Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func word(w string, origin vault.PassphraseOrigin, asked *int) vault.PassphraseFunc {
	return func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
		*asked++
		return []byte(w), origin, nil
	}
}

func openOld(t testing.TB, dir, w string) (*vault.AWSVault, *int) {
	t.Helper()
	asked := new(int)
	a, err := vault.OpenAWSVault(vault.Config{Backend: "file", FileDir: dir, Passphrase: word(w, vault.FromEnvironment, asked)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a, asked
}

func TestAWSVaultFile(t *testing.T) {
	ctx := t.Context()
	profiles := []string{"default", "team/prod", "with space", "100%", "ünïcødé"}
	dir := oldVault(t, append(profiles, "sts.GetSessionToken,ZGVmYXVsdA,YXJu,1700000000", "session,ZGVmYXVsdA,,1700000000", "default session (1700000000)", "oidc:https://x.awsapps.com/start")...)
	for _, junk := range []string{".DS_Store", "bad%zz"} {
		if err := os.WriteFile(filepath.Join(dir, junk), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	a, asked := openOld(t, dir, awsVaultWord)
	names, err := a.Names(ctx)
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "bad") })
	slices.Sort(profiles)
	if err != nil || !slices.Equal(names, profiles) || *asked != 0 {
		t.Fatalf("names %q, %v, asked %d", names, err, *asked)
	}
	for _, p := range profiles {
		if k, err := a.Key(ctx, p); err != nil || k.ID != oldID || k.Secret != oldSecret {
			t.Errorf("%q: %v, %v", p, k, err)
		}
	}
	if *asked != 1 {
		t.Errorf("asked %d times", *asked)
	}
	for _, p := range []string{"missing", "", ".", "..", "../x", "folder/x"} {
		if _, err := a.Key(ctx, p); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if err := a.Remove(ctx, "team/prod"); err != nil {
		t.Error(err)
	}
	if err := a.Remove(ctx, "team/prod"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	wrong, asked := openOld(t, dir, "wrong")
	if _, err := wrong.Key(ctx, "default"); !errors.Is(err, vault.ErrPassphrase) || *asked != 1 {
		t.Errorf("wrong passphrase: %v, asked %d", err, *asked)
	}
	gone, _ := openOld(t, filepath.Join(dir, "none"), awsVaultWord)
	if _, err := gone.Names(ctx); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := vault.OpenAWSVault(vault.Config{Backend: "nowhere"}); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("no such backend: %v", err)
	}
}

func token(t testing.TB, alg, enc, payload string, headers map[string]any) []byte {
	t.Helper()
	s, err := jose.Encrypt(payload, alg, enc, awsVaultWord, jose.Headers(headers))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(s)
}

// TestAWSVaultForged: an item that was not written with the passphrase, by
// the one algorithm that aws-vault uses, under its own name, is not believed.
func TestAWSVaultForged(t *testing.T) {
	ctx := t.Context()
	dir := oldVault(t, "default", "dev", "prod")
	a, asked := openOld(t, dir, awsVaultWord)
	if _, err := a.Key(ctx, "default"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "prod")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tried, believed, panics := 0, 0, 0
	try := func(how string, file []byte) {
		t.Helper()
		tried++
		defer func() {
			if r := recover(); r != nil {
				panics++
				t.Errorf("%s: panic: %v", how, r)
			}
		}()
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := a.Key(ctx, "prod")
		if err == nil || k.ID != "" || k.Secret != "" {
			believed++
			t.Errorf("%s: believed: %v", how, k)
		}
		if !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("%s: %v", how, err)
		}
		if err != nil && strings.Contains(err.Error(), oldSecret) {
			t.Errorf("%s: the error holds the secret", how)
		}
	}
	forgeries(t, try, whole)
	header := bytes.IndexByte(whole, '.')
	for i := range whole {
		for bit := range 8 {
			if i > header && bit != i%8 { // each costs a key derivation
				continue
			}
			file := bytes.Clone(whole)
			file[i] ^= 1 << bit
			try(fmt.Sprintf("bit %d of byte %d", bit, i), file)
		}
		try(fmt.Sprintf("cut to %d bytes", i), whole[:i])
	}
	other, err := os.ReadFile(filepath.Join(dir, "dev"))
	if err != nil {
		t.Fatal(err)
	}
	try("the item dev under the name prod", other)
	if *asked != 1 {
		t.Errorf("asked %d times", *asked)
	}
	if k, err := a.Key(ctx, "dev"); err != nil || k.ID != oldID {
		t.Errorf("dev: %v, %v", k, err)
	}
	t.Logf("import: %d damaged or forged items, %d believed, %d panics", tried, believed, panics)
}

func forgeries(t *testing.T, try func(string, []byte), whole []byte) {
	payload := fmt.Sprintf(`{"Key":"prod","Data":%q}`, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"AccessKeyID":%q,"SecretAccessKey":%q}`, oldID, oldSecret)))
	b64 := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"none"}`, `{"alg":"HS512","typ":"JWT"}`, `{"alg":"PBES2-HS256+A128KW"}`} {
		try("signed by nobody: "+header, []byte(b64([]byte(header))+"."+b64([]byte(payload))+"."))
		try("signed by nobody, with a signature: "+header, []byte(b64([]byte(header))+"."+b64([]byte(payload))+".AAAA"))
		try("five parts: "+header, []byte(b64([]byte(header))+"...."))
	}
	// Genuine tokens of the right passphrase, by another algorithm than aws-vault's.
	try("A192KW", token(t, jose.PBES2_HS384_A192KW, jose.A256GCM, payload, nil))
	try("A256KW", token(t, jose.PBES2_HS512_A256KW, jose.A256GCM, payload, nil))
	try("A128GCM", token(t, jose.PBES2_HS256_A128KW, jose.A128GCM, payload, nil))
	try("CBC", token(t, jose.PBES2_HS256_A128KW, jose.A256CBC_HS512, payload, nil))
	try("p2c 999", token(t, jose.PBES2_HS256_A128KW, jose.A256GCM, payload, map[string]any{"p2c": 999}))
	try("unknown member", token(t, jose.PBES2_HS256_A128KW, jose.A256GCM, payload, map[string]any{"crit": "x"}))
	zip, err := jose.Encrypt(payload, jose.PBES2_HS256_A128KW, jose.A256GCM, awsVaultWord, jose.Zip(jose.DEF))
	if err != nil {
		t.Fatal(err)
	}
	try("zip", []byte(zip))
	for what, p := range map[string]string{"no JSON": "x", "null": "null", "empty object": "{}", "other key": strings.Replace(payload, `"prod"`, `"dev"`, 1),
		"other case": strings.Replace(payload, `"prod"`, `"Prod"`, 1), "null data": `{"Key":"prod","Data":"bnVsbA=="}`, "no data": `{"Key":"prod"}`, "short": `{"Key":"prod","Data":"e30="}`,
		"session": fmt.Sprintf(`{"Key":"prod","Data":%q}`, base64.StdEncoding.EncodeToString([]byte(`{"AccessKeyID":"ASIA","SecretAccessKey":"s","SessionToken":"t"}`)))} {
		try("sealed, but "+what, token(t, jose.PBES2_HS256_A128KW, jose.A256GCM, p, nil))
	}
	// The header rewritten: nothing may be derived from these.
	parts := strings.Split(string(whole), ".")
	var h map[string]any
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &h) != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ member, value string }{
		{"p2c", "0"}, {"p2c", "-8192"}, {"p2c", "999"}, {"p2c", "1300001"}, {"p2c", "1e300"}, {"p2c", "8192.5"}, {"p2c", `"8192"`}, {"p2c", "null"}, {"p2c", "99999999999999999999"},
		{"p2s", `""`}, {"p2s", `"!"`}, {"p2s", "7"}, {"p2s", `"AAAA"`}, {"zip", `"DEF"`}, {"alg", `"dir"`}, {"alg", `"RSA1_5"`}, {"enc", `"A128GCM"`}, {"ALG", `"none"`}, {"created", `{}`},
	} {
		changed := map[string]json.RawMessage{}
		for k, v := range h {
			changed[k], _ = json.Marshal(v)
		}
		changed[c.member] = json.RawMessage(c.value)
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		try(c.member+" = "+c.value, []byte(strings.Join(append([]string{b64(text)}, parts[1:]...), ".")))
	}
	twice := strings.Replace(string(raw), `{`, `{"alg":"none",`, 1)
	try("a member twice", []byte(strings.Join(append([]string{b64([]byte(twice))}, parts[1:]...), ".")))
	for _, p := range []int{1, 2, 4} {
		for _, part := range []string{"", "AA", strings.Repeat("A", 40), strings.Repeat("A", 4000)} {
			q := slices.Clone(parts)
			q[p] = part
			try(fmt.Sprintf("part %d of %d bytes", p, len(part)), []byte(strings.Join(q, ".")))
		}
	}
	try("empty", nil)
	try("10 MB", make([]byte, 10<<20))
	try("our own item", vault.WrapEnvelope(vault.KindKey, "prod", []byte(payload)))
	try("in the clear", []byte(payload))
}

// A person who mistypes is asked again; a damaged item does not loop.
func TestAWSVaultPrompts(t *testing.T) {
	dir := oldVault(t, "default")
	for _, c := range []struct {
		words []string
		asked int
		err   error
	}{{[]string{"no", awsVaultWord}, 2, nil}, {[]string{"no", "no", "no", awsVaultWord}, 3, vault.ErrPassphrase}} {
		asked := 0
		a, err := vault.OpenAWSVault(vault.Config{Backend: "file", FileDir: dir, Passphrase: func(_ context.Context, r vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
			asked++
			if r.Attempt != asked || r.New || r.Path != dir {
				t.Errorf("asked %+v", r)
			}
			return []byte(c.words[asked-1]), vault.FromPrompt, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Key(t.Context(), "default"); !errors.Is(err, c.err) || asked != c.asked {
			t.Errorf("%v: %v, asked %d", c.words, err, asked)
		}
	}
}

// A damaged item that comes first is not a wrong passphrase: the right one is
// asked for once, and opens the others.
func TestAWSVaultDamagedFirst(t *testing.T) {
	dir := oldVault(t, "aaa", "default")
	path := filepath.Join(dir, "aaa")
	if err := os.WriteFile(path, token(t, "PBES2-HS256+A128KW", "A256GCM", "x", nil), 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old[len(old)-4] ^= 1 // in the tag: no passphrase opens it
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := 0
	a, err := vault.OpenAWSVault(vault.Config{Backend: "file", FileDir: dir, Passphrase: word(awsVaultWord, vault.FromPrompt, &asked)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Key(t.Context(), "aaa"); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("the damaged item: %v", err)
	}
	if k, err := a.Key(t.Context(), "default"); err != nil || k.ID != oldID || asked != 1 {
		t.Errorf("%v, %v, asked %d", k, err, asked)
	}
}
