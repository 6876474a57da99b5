//go:build unix

package cmd

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"groat/provider/ststest"
)

// troubleCommand is a command, and what may come of it.
type troubleCommand struct {
	line  string // IN is the folder of input
	stdin string // {id}, {secret} and {seed} are the user's

	good       int  // exit code where nothing is wrong
	quiet      bool // it does not call AWS
	answers    bool // its stdout is credentials
	code       bool // its stdout is a token code
	writes     bool // it writes credentials into ~/.aws/credentials
	login      bool // it needs a sign-in
	removes    bool // keys are removed on purpose
	passphrase bool // it changes the passphrase
	remembers  bool // the kernel's keyring keeps the vault's key, or which header is the newest

	codes map[string]int // other exit codes, by fault
}

// noted notes what it is given.
const noted = " -- sh -c '(env; tr \"\\0\" \" \" </proc/$$/cmdline) >>SEEN/children'"

// Exit codes of their own: a token stays with the endpoint that it was issued
// for; who signs nothing needs no clock.
var elsewhereNoToken = map[string]int{"TLS": exitNoCode, "proxy": exitNoCode}
var unsigned = map[string]int{"wrong clock": 0}
var bearer = map[string]int{"wrong clock": 0, "TLS": exitNoCode, "proxy": exitNoCode}

var troubleCommands = []troubleCommand{
	{line: "add again --stdin", stdin: "{id} {secret}", good: 0},
	{line: "add again --stdin --no-verify --no-config", stdin: `{"AccessKey":{"AccessKeyId":"{id}","SecretAccessKey":"{secret}"}}`, quiet: true},
	{line: "add again --stdin", stdin: `{"AccessKey":{"AccessKeyId":"{id}","SecretAccessKey":"{secret}"`, good: exitUsage, quiet: true},
	{line: "add again --stdin", stdin: "Access key ID,Secret access key\n{id},{secret}\n{id},{secret}\n", good: exitUsage, quiet: true},
	{line: "add again --stdin", stdin: "{secret}", good: exitUsage, quiet: true},
	{line: "add again --stdin", stdin: "{secret} {id}", good: exitUsage, quiet: true},
	{line: "add default --stdin --overwrite --no-config", stdin: "{id} {secret}"},
	{line: "import plain --from credentials-file --source-dir IN", quiet: true},
	{line: "import plain --from credentials-file --source-dir IN --delete-source", quiet: true},
	{line: "import plain --from credentials-file --source-dir IN --dry-run", quiet: true},
	{line: "import me --from aws-login --overwrite", login: true, quiet: true},
	{line: "list", quiet: true},
	{line: "list --json", quiet: true},
	{line: "remove default --force", removes: true, quiet: true},
	{line: "clear", quiet: true},
	{line: "rotate default --mfa-serial none"},
	{line: "rotate default --dry-run"},
	{line: "revoke default --apply", good: exitRefused},
	{line: "revoke default --dry-run", quiet: true},
	{line: "credential-process default", answers: true},
	{line: "credential-process admin", answers: true},
	{line: "credential-process admin --no-cache", answers: true},
	{line: "credential-process admin --no-session", answers: true},
	{line: "credential-process admin --policy IN/policy.json", answers: true},
	{line: "credential-process admin --mfa-code 12345", good: exitNoCode, quiet: true},
	{line: "credential-process seeded", answers: true},
	{line: "credential-process me", answers: true, login: true, codes: elsewhereNoToken},
	{line: "credential-process over", answers: true, login: true, codes: elsewhereNoToken},
	{line: "credential-process dev", answers: true, codes: bearer},
	{line: "credential-process ci", answers: true, codes: unsigned},
	{line: "credential-process foreign", answers: true, quiet: true},
	{line: "exec --server admin" + noted},
	{line: "each admin dev" + noted, codes: map[string]int{"TLS": exitNoCode, "proxy": exitNoCode}},
	{line: "export admin", answers: true},
	{line: "export admin --format json", answers: true},
	{line: "export dev --format powershell", answers: true, codes: bearer},
	{line: "export admin --to-credentials-file", writes: true},
	{line: "signin me", good: exitNoCode, quiet: true},
	{line: "signout me", login: true, quiet: true},
	{line: "login admin --stdout", answers: true},
	{line: "mfa list default"},
	{line: "mfa code seeded", code: true, quiet: true},
	{line: "mfa seed seeded --stdin --overwrite", stdin: "{seed}", quiet: true},
	{line: "mfa seed seeded --stdin --overwrite", stdin: "{seed}!", good: exitUsage, quiet: true},
	{line: "mfa enroll default", good: exitNoCode, quiet: true},
	{line: "mfa remove default --force"},
	{line: "audit default"},
	{line: "configure admin", quiet: true},
	{line: "configure admin --dry-run", quiet: true},
	{line: "explain admin --json", quiet: true},
	{line: "whoami admin"},
	{line: "whoami me", login: true, codes: map[string]int{"TLS": exitNoCode, "proxy": exitNoCode}},
	{line: "doctor --online --json", good: exitFound, quiet: true},
	{line: "log --on", quiet: true},
	{line: "unlock --for 15m", remembers: true, quiet: true},
	{line: "passphrase", passphrase: true, remembers: true, quiet: true},
}

// troubleFault is what is wrong, and the exit code of a command that meets it.
type troubleFault struct {
	name  string
	code  int
	fault ststest.Fault
	do    func(r *troubleRun)
	slow  bool // costs seconds or megabytes
}

var troubleFaults = []troubleFault{
	{name: "none"},
	{name: "500", code: exitUnreachable, fault: ststest.Fault{Status: 500}},
	{name: "503", code: exitUnreachable, fault: ststest.Fault{Status: 503}},
	{name: "429", code: exitUnreachable, fault: ststest.Fault{Status: 429}},
	{name: "refused", code: exitRefused, fault: ststest.Fault{Status: 403, Code: "AccessDenied"}},
	{name: "echo", code: exitRefused, fault: ststest.Fault{Kind: ststest.FaultEcho}},
	{name: "reset", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultReset}},
	{name: "lost answer", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultDrop}},
	{name: "bad XML", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultBadXML}},
	{name: "empty", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultEmpty}},
	{name: "portal", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultPortal}},
	{name: "redirect", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultRedirect}},
	{name: "wrong clock", code: exitRefused, do: func(r *troubleRun) { r.w.SetSkew(20 * time.Minute) }},
	{name: "TLS", code: exitUnreachable, do: func(r *troubleRun) {
		r.environ = with(r.environ, "AWS_ENDPOINT_URL="+strings.Replace(r.w.URL, "http:", "https:", 1))
	}},
	{name: "proxy", code: exitUnreachable, do: func(r *troubleRun) {
		r.environ = with(r.environ, "AWS_ENDPOINT_URL=https://aws.example")
		r.proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: strings.TrimPrefix(r.w.refuses.URL, "http://")})
	}},
	{name: "wrong passphrase", do: func(r *troubleRun) { r.environ = with(r.environ, "GROAT_FILE_PASSPHRASE=canary-wrong-passphrase") }},
	{name: "64 MiB", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultHugeBody}, slow: true},
	{name: "half-open", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultHalfOpen}, slow: true},
	{name: "slow body", code: exitUnreachable, fault: ststest.Fault{Kind: ststest.FaultSlowBody}, slow: true},
}

// Whatever command meets whatever trouble, with --debug: no secret is where
// it must not be, the exit code is the one of the manual, nothing is lost and
// nothing stays behind.
func TestTrouble(t *testing.T) {
	needPOSIX(t)
	type job struct {
		c *troubleCommand
		f *troubleFault
	}
	// Each command meets each trouble in the long form, and two of them otherwise.
	long := os.Getenv("GROAT_TEST_LONG") != ""
	jobs := make(chan job, len(troubleCommands)*len(troubleFaults))
	for i := range troubleCommands {
		for k := range troubleFaults {
			if f := &troubleFaults[k]; long || !f.slow && (i+k)%8 == 0 {
				jobs <- job{&troubleCommands[i], f}
			}
		}
	}
	close(jobs)
	root := t.TempDir()
	var runs, searched atomic.Int64
	var wg sync.WaitGroup
	for range map[bool]int{true: 12, false: 4}[long] { // most of the time they wait for the next attempt
		wg.Go(func() {
			var w *troubleWorld
			for j := range jobs {
				if w == nil || w.spoiled() {
					w = newTroubleWorld(t, root)
				}
				n := w.trouble(t, j.c, j.f)
				runs.Add(1)
				searched.Add(int64(n))
			}
		})
	}
	wg.Wait()
	t.Logf("trouble: %d runs of %d commands, %d KiB searched, 0 secrets found, 0 keys lost", runs.Load(), len(troubleCommands), searched.Load()>>10)
}

var odd = regexp.MustCompile(`goroutine \d|panic:|%!|0xc0|runtime error`)

func (w *troubleWorld) trouble(t *testing.T, c *troubleCommand, f *troubleFault) int {
	t.Helper()
	r := w.newRun(t)
	defer func() { _ = os.RemoveAll(strings.TrimSuffix(r.home, "home")) }()
	if c.remembers { // the next one's vault is a copy of the same
		defer func() { r.run(t, "", "lock") }()
	}
	if c.login {
		r.signsIn(t)
	}
	words := troubleWords(strings.NewReplacer("IN", r.in, "SEEN", r.seen).Replace(c.line))
	stdin := strings.NewReplacer("{id}", w.key.ID, "{secret}", w.key.Secret, "{seed}", w.other.Secret).Replace(c.stdin)
	if f.do != nil {
		f.do(r)
	} else if f.code != 0 {
		fault := f.fault
		fault.Location = w.trap.URL
		w.Inject(fault)
	}
	r.run(t, stdin, slices.Concat([]string{"--debug"}, words)...)
	w.ClearFaults()
	fail := func(format string, args ...any) {
		t.Errorf("%s: %s: %s\nexit code %d, stdout %.200q, stderr:\n%s", c.line, f.name, fmt.Sprintf(format, args...), r.result.code, r.result.stdout, r.result.stderr)
	}
	spilled, searched := r.spilled(t, c)
	for _, s := range spilled {
		fail("%s", s)
	}
	for _, d := range r.damage(t, c) {
		fail("%s", d)
	}
	want, known := c.codes[f.name]
	if !known {
		if want = c.good; !c.quiet && f.code != 0 {
			want = f.code
		}
	}
	if f.name == "wrong passphrase" && r.result.code == exitVault {
		want = exitVault // the vault was needed
	}
	if r.result.code != want {
		fail("want exit code %d", want)
	}
	if r.result.code != 0 && c.answers && r.result.stdout != "" {
		fail("stdout is not empty")
	}
	if odd.MatchString(r.result.stderr) {
		fail("odd words")
	}
	return searched
}

// troubleWords splits as a shell does, for the quotes of these tables.
func troubleWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
