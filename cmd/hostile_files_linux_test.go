package cmd

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"groat/cmd/child"
)

// hostileConfig has a profile for every file that is read: none costs a vault
// or AWS. ENDPOINT is a server on loopback, HOME the person's home.
const hostileConfig = staticConfig + `[profile asked]
aws_access_key_id = ASIAEXAMPLE
aws_secret_access_key = secret
aws_session_token = token
confirm = 15m
[profile web]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/web
web_identity_token_file = HOME/token/file
endpoint_url = ENDPOINT
ca_bundle = HOME/ca/bundle.pem
`

// hostileWorld is a fresh home with good files in every place, and a server
// that counts who comes.
type hostileWorld struct {
	home    string
	environ []string
	asked   atomic.Int32
}

func newHostileWorld(t *testing.T) *hostileWorld {
	t.Helper()
	w := &hostileWorld{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		w.asked.Add(1)
		answer.Header().Set("Content-Type", "text/xml")
		answer.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(answer, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
	}))
	t.Cleanup(server.Close)
	w.environ = staticEnvironment(t, "GROAT_NO_INPUT=1")
	w.home = strings.TrimPrefix(w.environ[0], "HOME=")
	config := strings.NewReplacer("ENDPOINT", server.URL, "HOME", w.home).Replace(hostileConfig)
	w.put(t, ".aws/config", config)
	w.put(t, "ca/bundle.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	w.put(t, "token/file", "a.web.identity")
	return w
}

func (w *hostileWorld) path(name string) string { return filepath.Join(w.home, name) }

func (w *hostileWorld) put(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(w.path(name)), 0o700), os.WriteFile(w.path(name), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// The ways in which a file is not what it should be, each with what is said
// of one that steers.
var hostileWays = []struct {
	name, said, remedy string
	spoil              func(path string) error
}{
	{"fifo", "not a regular file", "", func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) }},
	{"endless", "not a regular file", "", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) }},
	{"folder", "not a regular file", "", func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }},
	{"dangling", "", "", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("nowhere", path)) }},
	{"large", "too large", "", func(path string) error { return os.Truncate(path, 5<<30) }},
	{"mode", "can be written by others (mode 0666)", "chmod go-w ", func(path string) error { return os.Chmod(path, 0o666) }},
	{"folder of all", "can be written by others (mode 0777)", "chmod go-w ", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }},
	{"owner", "belongs to another user (1001)", "sudo chown -R 0 ", func(path string) error { return os.Chown(path, 1001, 1001) }},
}

// Whatever another user may have put in the place of a file that groat reads,
// nothing in it is obeyed, and nobody waits for it.
func TestHostileFiles(t *testing.T) {
	const trusted = "[profile far]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"ASIAFAR\",\"SecretAccessKey\":\"s\"}'\n"
	mint := func(profile string, more ...string) []string {
		return append([]string{"credential-process", profile, "--no-cache"}, more...)
	}
	for _, c := range []struct {
		name, file string
		words      []string
		environ    []string
		prepare    func(t *testing.T, w *hostileWorld)
		good       int // exit code where the file is good
		obeyed     func(*hostileWorld, result) bool
		code       int            // exit code otherwise
		codes      map[string]int // of single ways
		unsaid     string         // ways, separated by commas, of which nothing is said
		steers     bool           // what is said of it is in the table of ways
		fine       string         // a way that does no harm
		waits      string         // a way that is meant
	}{
		{name: "config.json", steers: true, file: ".config/groat/config.json", words: mint("static"),
			prepare: func(t *testing.T, w *hostileWorld) { w.put(t, ".config/groat/config.json", `{"debug": true}`) },
			obeyed:  func(_ *hostileWorld, r result) bool { return strings.Contains(r.stderr, "debug:") },
			code:    exitConfig, codes: map[string]int{"dangling": 0}, unsaid: "dangling"},
		{name: "AWS config", steers: true, file: ".aws/config", words: mint("static"),
			obeyed: func(_ *hostileWorld, r result) bool { return r.stdout != "" },
			code:   exitConfig},
		{name: "credentials", steers: true, file: ".aws/credentials", words: mint("plain"),
			prepare: func(t *testing.T, w *hostileWorld) {
				w.put(t, ".aws/credentials", strings.Replace(staticConfig, "profile static", "plain", 1))
			},
			obeyed: func(_ *hostileWorld, r result) bool { return r.stdout != "" },
			code:   exitConfig},
		{name: "web identity", steers: true, file: "token/file", words: mint("web"),
			good: exitRefused, obeyed: func(w *hostileWorld, _ result) bool { return w.asked.Load() > 0 },
			code: exitConfig},
		{name: "CA bundle", steers: true, file: "ca/bundle.pem", words: mint("web"),
			good: exitRefused, obeyed: func(w *hostileWorld, _ result) bool { return w.asked.Load() > 0 },
			code: exitConfig},
		{name: "trusted lines", file: ".local/state/groat/trusted-lines.json", words: mint("far"),
			prepare: func(t *testing.T, w *hostileWorld) {
				w.put(t, "repository/config", trusted)
				w.environ = append(w.environ, "AWS_CONFIG_FILE="+w.path("repository/config"))
				mustRun(t, w.environ, "", "trust", w.path("repository/config"))
			},
			obeyed: func(_ *hostileWorld, r result) bool { return r.stdout != "" },
			code:   exitConfig},
		{name: "undo data", file: ".local/state/groat/configure-undo.json", words: []string{"configure", "--undo", "web"},
			prepare: func(t *testing.T, w *hostileWorld) { mustRun(t, w.environ, "", "configure", "web") },
			obeyed: func(w *hostileWorld, _ result) bool {
				text, err := os.ReadFile(w.path(".aws/config"))
				return err != nil || !strings.Contains(string(text), "web-groat")
			},
			code: exitConfig},
		{name: "agreements", file: ".local/state/groat/consents.json", words: mint("asked"),
			prepare: func(t *testing.T, w *hostileWorld) {
				callers := child.Callers()
				key := consentRequest{profile: "asked", caller: child.CalledBy(callers), boot: child.BootID()}.key()
				if err := newApp(w.environ, Streams{}).paths.consents().note("asked", key, time.Now().Add(15*time.Minute), time.Now()); err != nil {
					t.Fatal(err)
				}
			},
			obeyed: func(_ *hostileWorld, r result) bool { return r.stdout != "" },
			code:   exitNoCode, unsaid: "dangling"}, // the person is asked again
		{name: "passphrase", file: "secret/passphrase", words: []string{"passphrase"},
			prepare: func(t *testing.T, w *hostileWorld) {
				w.put(t, "secret/passphrase", "the passphrase")
				w.environ = append(w.environ, "GROAT_FILE_PASSPHRASE_FILE="+w.path("secret/passphrase"), "GROAT_NEW_FILE_PASSPHRASE=another")
				mustRun(t, w.environ, "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "add", "default", "--stdin", "--no-verify", "--no-config")
			},
			obeyed: func(_ *hostileWorld, r result) bool { return r.code == 0 },
			code:   exitVault, codes: map[string]int{"mode": exitConfig, "folder of all": exitConfig, "owner": exitConfig},
			waits: "fifo"}, // a pipe may be how it is handed over
		{name: "log", file: ".local/state/groat/log.jsonl", words: mint("static"),
			prepare: func(t *testing.T, w *hostileWorld) {
				mustRun(t, w.environ, "", "log", "--on")
				mustRun(t, w.environ, "", mint("static")...)
			},
			obeyed: func(_ *hostileWorld, r result) bool { return r.stderr == "" },
			code:   0, fine: "large"}, // it is moved away
	} {
		world := func(t *testing.T) *hostileWorld {
			w := newHostileWorld(t)
			if c.prepare != nil {
				c.prepare(t, w)
			}
			return w
		}
		t.Run(c.name, func(t *testing.T) {
			w := world(t)
			if r := runMain(t, w.environ, "", c.words...); r.code != c.good || !c.obeyed(w, r) {
				t.Fatalf("a good file: %+v", r)
			}
			for _, way := range hostileWays {
				if way.name == c.waits {
					continue
				}
				t.Run(way.name, func(t *testing.T) {
					if way.name == "owner" && os.Geteuid() != 0 {
						t.Skip("only root can be another user")
					}
					w := world(t)
					path := w.path(c.file)
					if err := way.spoil(path); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = os.Remove(path) })
					done := make(chan result, 1)
					go func() { done <- runMain(t, w.environ, "", c.words...) }()
					var r result
					select {
					case r = <-done:
					case <-time.After(30 * time.Second):
						t.Fatal("it waits")
					}
					t.Logf("%d %q", r.code, r.stderr)
					code := c.code
					if special, ok := c.codes[way.name]; ok {
						code = special
					}
					if r.code != code || c.obeyed(w, r) != (way.name == c.fine) {
						t.Errorf("%+v, want exit code %d", r, code)
					}
					if c.unsaid != "all" && c.unsaid != way.name && way.name != c.fine {
						if !strings.Contains(r.stderr, filepath.Dir(path)) {
							t.Errorf("%q does not name %s", r.stderr, path)
						}
						if c.steers && (!strings.Contains(r.stderr, way.said) || !strings.Contains(r.stderr, way.remedy)) {
							t.Errorf("%q does not say %q, and to run %q", r.stderr, way.said, way.remedy)
						}
					}
				})
			}
		})
	}
}
