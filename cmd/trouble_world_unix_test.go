//go:build unix

package cmd

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"groat/provider"
	"groat/provider/ststest"
	"groat/vault/vaulttest/format"
)

// troubleConfig has a profile of every source. Programs that it names note
// their environment and their command line; IN is the folder of what they give.
const troubleConfig = `[default]
region = eu-west-1
mfa_serial = arn:aws:iam::123456789012:mfa/myusername
mfa_process = sh -c 'NOTE; cat IN/code'
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin-role
source_profile = default
[profile seeded]
region = eu-west-1
mfa_serial = arn:aws:iam::123456789012:mfa/myusername-2
[profile me]
login_session = arn:aws:iam::123456789012:user/myusername
region = eu-west-1
[profile over]
role_arn = arn:aws:iam::123456789012:role/plain-role
source_profile = me
[sso-session acme]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
[profile dev]
sso_session = acme
sso_account_id = 123456789012
sso_role_name = Dev
[profile ci]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/web-role
web_identity_token_file = IN/token
[profile foreign]
credential_process = sh -c 'NOTE; cat IN/foreign.json'
`

const (
	troublePassphrase = "canary+correct/horse battery"
	troubleOther      = "canary+another/horse battery"
	notesItself       = `(env; tr "\\0" " " </proc/$$/cmdline) >>SEEN/helpers 2>/dev/null`
)

// troubleWorld is a double of AWS with its user's keys in a vault, of which
// every run gets a copy.
type troubleWorld struct {
	*aws
	other    *ststest.Device
	root     string // of all runs
	template string // home
	web      string // a web identity
	kept     []string
	trap     *httptest.Server // where nothing signed must ever go
	trapped  atomic.Int32
	refuses  *httptest.Server // a proxy that lets nobody through
}

// troubleRun is one command in one world.
type troubleRun struct {
	w              *troubleWorld
	home, in, seen string
	environ        []string
	result         result
	login          []canary // of the sign-in that was imported for it
	codes          []string
	proxy          provider.ProxyFunc
}

func newTroubleWorld(t *testing.T, root string) *troubleWorld {
	t.Helper()
	w := &troubleWorld{aws: startAWS(t), root: root}
	w.trap = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.trapped.Add(1) }))
	t.Cleanup(w.trap.Close)
	w.refuses = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(w.refuses.Close)
	w.user.Admin()
	w.other = w.user.AddMFA()
	w.AddIssuer("https://issuer.example")
	w.AddRole("arn:aws:iam::123456789012:role/web-role", ststest.RoleOptions{WebIdentity: "https://issuer.example"})
	w.AddRole("arn:aws:iam::123456789012:role/plain-role", ststest.RoleOptions{})
	w.web = w.WebIdentityToken("https://issuer.example", "ci", "sts.amazonaws.com", time.Hour)
	w.AddSSO("https://acme.awsapps.com/start", ststest.Assignment{Account: "123456789012", Role: "Dev"})

	r := w.newRun(t)
	must := func(stdin string, words ...string) {
		t.Helper()
		if r.run(t, stdin, words...); r.result.code != 0 {
			t.Fatalf("%q: %+v", words, r.result)
		}
	}
	key := w.key.ID + " " + w.key.Secret
	must(key, "add", "default", "--stdin", "--no-config", "--mfa-serial", "none")
	must(key, "add", "seeded", "--stdin", "--no-config", "--mfa-serial", "none")
	must(w.other.Secret, "mfa", "seed", "seeded", "--stdin")
	a := r.app(Streams{Out: io.Discard, Err: io.Discard})
	plan, minter, err := a.prepare(t.Context(), "dev", minting{})
	if err != nil {
		t.Fatal(err)
	}
	minter.SignIn = approves{w: w}
	if _, err := minter.Credentials(t.Context(), plan.Plan); err != nil {
		t.Fatal(err)
	}
	a.close()
	must("", "clear")
	w.template = r.home
	w.kept, _ = w.Secrets()
	return w
}

// approves is a person at another machine's browser.
type approves struct {
	provider.SignIn
	w *troubleWorld
}

func (approves) LocalBrowser(provider.SignInRequest) (bool, error) { return false, nil }

func (p approves) Show(_ context.Context, req provider.SignInRequest) error {
	if !p.w.DecideSSO(req.UserCode, true) {
		return errors.New("no such code")
	}
	return nil
}

// newRun is a home like the template's, with codes that were never used.
func (w *troubleWorld) newRun(t *testing.T) *troubleRun {
	t.Helper()
	dir, err := os.MkdirTemp(w.root, "")
	if err != nil {
		t.Fatal(err)
	}
	r := &troubleRun{w: w, home: filepath.Join(dir, "home"), in: filepath.Join(dir, "in"), seen: filepath.Join(dir, "seen")}
	for _, d := range []string{r.home, filepath.Join(r.in, "login"), r.seen, filepath.Join(r.home, ".aws")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if w.template != "" {
		if err := copyPrivately(w.template, r.home); err != nil {
			t.Fatal(err)
		}
		w.Reset()
		w.device.Forget()
		w.other.Forget()
	}
	config := strings.ReplaceAll(troubleConfig, "NOTE", notesItself)
	r.put(t, filepath.Join(r.home, ".aws", "config"), strings.NewReplacer("IN/", r.in+"/", "SEEN/", r.seen+"/").Replace(config))
	r.put(t, filepath.Join(r.in, "code"), w.device.FreshCode())
	r.put(t, filepath.Join(r.in, "token"), w.web)
	r.put(t, filepath.Join(r.in, "foreign.json"), `{"Version":1,"AccessKeyId":"ASIAFOREIGNFOREIGN01","SecretAccessKey":"`+foreignSecret+`","SessionToken":"`+foreignToken+`","Expiration":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	r.put(t, filepath.Join(r.in, "credentials"), "[plain]\naws_access_key_id = "+w.key.ID+"\naws_secret_access_key = "+w.key.Secret+"\n")
	r.put(t, filepath.Join(r.in, "policy.json"), `{"Version":"2012-10-17","Statement":[]}`)
	for _, d := range []*ststest.Device{w.device, w.other} {
		for n := -2; n <= 2; n++ {
			r.codes = append(r.codes, d.Code(time.Now().Add(time.Duration(n)*30*time.Second)))
		}
	}
	r.environ = []string{
		"HOME=" + r.home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "GROAT_BACKEND=file", "GROAT_NO_INPUT=1", "AWS_ENDPOINT_URL=" + w.URL,
		"GROAT_FILE_PASSPHRASE=" + troublePassphrase, newPassphraseVariable + "=" + troubleOther, "AWS_LOGIN_CACHE_DIRECTORY=" + filepath.Join(r.in, "login"),
	}
	return r
}

const foreignSecret, foreignToken = "foreign/canary+secretsecretsecretsecret1", "foreign/canary+token/token/token/token/token"

// copyPrivately copies what is ours alone, and keeps it so.
func copyPrivately(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o700))
		}
		if !d.Type().IsRegular() { // a socket of a vault's key
			return nil
		}
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(target, data, 0o600))
	})
}

func (r *troubleRun) put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *troubleRun) vault() string {
	return filepath.Join(r.home, ".local", "share", "groat", "vault")
}

// signsIn stores a sign-in, whose refresh token works once.
func (r *troubleRun) signsIn(t *testing.T) {
	t.Helper()
	name, content := r.w.CLILogin(r.w.user.ARN)
	r.put(t, filepath.Join(r.in, "login", name), string(content))
	if r.run(t, "", "import", "--from", "aws-login", "--overwrite", "me"); r.result.code != 0 {
		t.Fatalf("import: %+v", r.result)
	}
	var file struct{ RefreshToken, DPoPKey string }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(file.DPoPKey))
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r.login = []canary{newCanary("refresh token", []byte(file.RefreshToken)), newCanary("DPoP key", scalar)}
	r.w.ResetCalls()
}

// app is the program as Main makes it; pauses take no time.
func (r *troubleRun) app(streams Streams) *app {
	a := quickApp(r.environ, streams)
	a.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if r.proxy != nil {
		a.proxy = r.proxy
	}
	return a
}

// run is Main but for what it does to the process that the tests run in.
func (r *troubleRun) run(t *testing.T, stdin string, words ...string) {
	t.Helper()
	var out, errs strings.Builder
	a := r.app(Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs})
	code := a.report(t.Context(), a.run(t.Context(), words))
	a.close()
	r.result = result{code, out.String(), errs.String()}
}

// read is everything that the run left, by path.
func (r *troubleRun) read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// canaries are the secrets that must never be seen, and those that may be in
// the answer.
func (r *troubleRun) canaries() (never, answer []canary) {
	long, short := r.w.Secrets()
	never = append(never, r.login...)
	for _, secret := range append(append(long, r.w.kept...), r.w.web, troublePassphrase, troubleOther) {
		never = append(never, newCanary("long-lived secret", []byte(secret)))
	}
	for _, secret := range append(short, foreignSecret, foreignToken) {
		answer = append(answer, newCanary("session secret", []byte(secret)))
	}
	return never, answer
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// spilled names the secrets that are where they must not be. answers says
// that stdout and children are where session secrets belong, file that a file
// is, too.
func (r *troubleRun) spilled(t *testing.T, c *troubleCommand) (spilled []string, searched int) {
	t.Helper()
	never, answer := r.canaries()
	look := func(where string, data []byte, secrets []canary) {
		searched += len(data)
		for _, s := range secrets {
			if s.in(data) {
				spilled = append(spilled, s.name+" in "+where)
			}
		}
	}
	all := slices.Concat(never, answer)
	code := func(where string, text string) {
		for _, digits := range sixDigits.FindAllString(text, -1) {
			if slices.Contains(r.codes, digits) {
				spilled = append(spilled, "token code in "+where)
			}
		}
	}
	look("stderr", []byte(r.result.stderr), all)
	code("stderr", r.result.stderr)
	switch {
	case c.code:
	case c.answers && r.result.code == 0:
		look("stdout", []byte(r.result.stdout), never)
	default:
		look("stdout", []byte(r.result.stdout), all)
		code("stdout", r.result.stdout)
	}
	for path, data := range r.read(t, r.home) {
		secrets := all
		if filepath.Base(path) == "credentials" && c.writes {
			secrets = never
		}
		look(path, data, secrets)
		if filepath.Ext(path) != "" && !strings.HasPrefix(path, r.vault()) {
			code(path, string(data))
		}
	}
	for path, data := range r.read(t, r.seen) {
		secrets := all
		if filepath.Base(path) == "children" {
			secrets = never
		}
		look(path, data, secrets)
		code(path, string(data))
	}
	return spilled, searched
}

// kept says what is wrong with what the run left: a vault that the format
// alone does not open, a key that is lost, a lock that is held, a file that
// was not finished.
func (r *troubleRun) damage(t *testing.T, c *troubleCommand) (wrong []string) {
	t.Helper()
	v, err := format.Read(r.vault(), troublePassphrase)
	if err != nil && c.passphrase {
		v, err = format.Read(r.vault(), troubleOther)
	}
	if err != nil {
		return []string{"the vault: " + err.Error()}
	}
	if len(v.Left) > 0 || v.Copies != 2 {
		wrong = append(wrong, "the vault has unfinished files or one header")
	}
	for _, name := range []string{"default", "seeded"} {
		if c.removes {
			break
		}
		var key struct {
			ID     string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
		}
		if err := json.Unmarshal(v.Items[format.Item{Kind: "key", Name: name}], &key); err != nil {
			wrong = append(wrong, "the key of "+name+" is lost")
			continue
		}
		if !slices.ContainsFunc(r.w.user.AccessKeys(), func(k *ststest.AccessKey) bool { return k.ID == key.ID && k.Secret == key.Secret }) {
			wrong = append(wrong, "AWS does not know the key of "+name)
		}
	}
	for path := range r.read(t, r.home) {
		if strings.HasPrefix(filepath.Base(path), ".tmp-") || strings.Contains(filepath.Base(path), ".groat-") {
			wrong = append(wrong, path+" is left over")
		}
		if strings.HasSuffix(path, ".lock") {
			l := flock.New(path)
			if ok, err := l.TryLock(); !ok || err != nil {
				wrong = append(wrong, path+" is held")
			}
			_ = l.Close()
		}
	}
	if w := r.w; w.trapped.Swap(0) != 0 {
		wrong = append(wrong, "a redirect was followed")
	}
	return wrong
}

// spoiled says that a run has changed what the template was made for.
func (w *troubleWorld) spoiled() bool {
	keys := w.user.AccessKeys()
	return len(keys) != 1 || keys[0] != w.key || !w.key.Active() || len(w.user.Devices()) != 2
}
