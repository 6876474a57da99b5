package cmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/session"
	"groat/session/flight"
	"groat/vault"
	"groat/vault/vaulttest"
)

// The benchmarks run real processes in turn: the floor (the least a
// credential process in Go can be), the library (the least that a program can
// be which finds its items by listing them with the keyring library), groat
// and, with PEER=path, another program that speaks aws-vault's command line.
// They report the medians and their ratios; only the ratios of one run mean
// something.

// contest runs the contestants in turn and reports each median in
// milliseconds, and its ratios to those before it. ready prepares a run,
// which is not timed, and returns it.
func contest(b *testing.B, names []string, ready func(name string) func()) {
	b.Helper()
	times := map[string][]time.Duration{}
	for b.Loop() {
		for _, name := range names {
			run := ready(name)
			time.Sleep(settle)
			begin := time.Now()
			run()
			times[name] = append(times[name], time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op")
	median := func(name string) float64 {
		slices.Sort(times[name])
		return float64(times[name][len(times[name])/2].Microseconds()) / 1000
	}
	for i, name := range names {
		b.ReportMetric(median(name), name+"-ms")
		for _, other := range names[:i] {
			b.ReportMetric(median(name)/median(other), name+"/"+other)
		}
	}
}

// settle lets the services that a run has kept busy come to rest, so that the
// next one does not pay for it.
const settle = 20 * time.Millisecond

// BenchmarkWarm answers from the cache, the vault unlocked.
func BenchmarkWarm(b *testing.B) {
	items, profiles := []int{1, 5, 10, 100, 1000}, []int{10, 100, 1000, 5000}
	if testing.Short() {
		items, profiles = items[:2], profiles[:1]
	}
	for _, backend := range []string{"file", "secret-service"} {
		for _, n := range items {
			b.Run(fmt.Sprintf("%s/items=%d", backend, n), func(b *testing.B) {
				o := warmOutside(b, backend)
				o.fill(n)
				o.fillLibrary(n)
				o.race(b)
			})
		}
	}
	for _, n := range profiles {
		b.Run(fmt.Sprintf("file/profiles=%d", n), func(b *testing.B) {
			o := warmOutside(b, "file")
			o.fillLibrary(1)
			o.manyProfiles(n)
			o.race(b)
		})
	}
}

// BenchmarkWarmBefore answers from the cache beside another build of groat
// (BEFORE=path), to see what a change costs those who do not use it. Without
// one it runs against itself, and shows what a ratio is worth here.
func BenchmarkWarmBefore(b *testing.B) {
	o := warmOutside(b, "file")
	before := *o
	if path := os.Getenv("BEFORE"); path != "" {
		before.binary = path
	}
	before.credentials("admin")
	contest(b, []string{"before", "groat"}, func(name string) func() {
		c := o.command("credential-process", "admin")
		if name == "before" {
			c = before.command("credential-process", "admin")
		}
		return func() { o.must(c) }
	})
}

// BenchmarkPass answers from the cache in pass, beside one "pass show" of the
// same item, without which no call can do.
func BenchmarkPass(b *testing.B) {
	o := warmOutside(b, "pass")
	o.credentials("admin")
	var store string
	for _, kv := range o.environ {
		if dir, ok := strings.CutPrefix(kv, "PASSWORD_STORE_DIR="); ok {
			store = dir
		}
	}
	sessions, err := filepath.Glob(filepath.Join(store, "groat", "session.*.gpg"))
	if err != nil || len(sessions) == 0 {
		b.Fatal("nothing is cached", err)
	}
	show := "groat/" + strings.TrimSuffix(filepath.Base(sessions[0]), ".gpg")
	contest(b, []string{"show", "groat"}, func(name string) func() {
		c := o.command("credential-process", "admin")
		if name == "show" {
			c = exec.Command("pass", "show", show)
			c.Env = o.environ
		}
		return func() { o.must(c) }
	})
}

// startPass makes a password store with a key of its own.
func startPass(b *testing.B) []string {
	b.Helper()
	for _, program := range []string{"pass", "gpg"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Skipf("%s is not installed", program)
		}
	}
	var environ []string
	for _, kv := range vaulttest.PassStore(b, "", "") {
		if !strings.HasPrefix(kv, "HOME=") {
			environ = append(environ, kv)
		}
	}
	return environ
}

// BenchmarkCold mints: one question, two calls, with AWS's latency.
func BenchmarkCold(b *testing.B) {
	counts := []int{1, 10, 50, 100}
	if testing.Short() {
		counts = counts[:2]
	}
	for _, n := range counts {
		b.Run(fmt.Sprintf("processes=%d", n), func(b *testing.B) {
			o := newContest(b, "file")
			o.slow()
			o.saveAnswer()
			var calls, asked, peerGood, peerAsked int
			// "starts" is what the processes cost by themselves: all warm.
			names := []string{"floor", "starts", "one", "all"}
			if o.peer != "" {
				names = append(names, "peer")
			}
			contest(b, names, func(name string) func() {
				switch name {
				case "floor":
					return func() { o.floors(n) }
				case "starts":
					return func() { o.together(slices.Repeat([]string{"admin"}, n)...) }
				case "one":
					o.refresh()
					return func() { o.credentials("admin") }
				case "all":
					o.refresh()
					return func() {
						o.together(slices.Repeat([]string{"admin"}, n)...)
						calls, asked = o.Count(""), o.asked()
					}
				default:
					o.peerCold()
					return func() { peerGood, peerAsked = o.peerTogether(n, "admin"), o.asked() }
				}
			})
			b.ReportMetric(float64(calls), "calls")
			b.ReportMetric(float64(asked), "questions")
			b.ReportMetric(float64(2*awsLatency.Milliseconds()), "latency-ms")
			if o.peer != "" {
				b.ReportMetric(float64(peerGood), "peer-answers")
				b.ReportMetric(float64(peerAsked), "peer-questions")
			}
		})
	}
}

// BenchmarkExec becomes a command that does nothing, from a warm cache, beside
// the answer of a credential process.
func BenchmarkExec(b *testing.B) {
	o := warmOutside(b, "file")
	commands := map[string]func() *exec.Cmd{
		"true":   func() *exec.Cmd { return exec.Command("true") },
		"answer": func() *exec.Cmd { return o.command("credential-process", "default") },
		"groat":  func() *exec.Cmd { return o.command("exec", "default", "--", "true") },
	}
	names := []string{"true", "answer", "groat"}
	if o.peer != "" {
		names = append(names, "peer")
		commands["peer"] = func() *exec.Cmd { return o.peerCommand("exec", "default", "--", "true") }
	}
	contest(b, names, func(name string) func() {
		c := commands[name]()
		return func() { o.must(c) }
	})
}

// BenchmarkEach mints many cold roles, with AWS's latency, one after the other
// and side by side.
func BenchmarkEach(b *testing.B) {
	roles := 200
	if testing.Short() {
		roles = 8
	}
	o := newContest(b, "file")
	o.write(".aws/config", strings.ReplaceAll(awsConfigOfThePeers, "mfa_serial=", mfaProcess+"mfa_serial=")+o.manyRoles(roles))
	contest(b, []string{"jobs=1", "jobs=16"}, func(jobs string) func() {
		o.refresh()
		c := o.command("each", "many-*", "--"+jobs, "--", "true")
		return func() { o.must(c) }
	})
}

// BenchmarkList lists many profiles, with and without the sessions of many
// that are gone.
func BenchmarkList(b *testing.B) {
	profiles, gone := 10000, 800
	if testing.Short() {
		profiles, gone = 100, 8
	}
	plain, orphaned := warmOutside(b, "file"), warmOutside(b, "file")
	plain.manyProfiles(profiles)
	orphaned.manyProfiles(profiles)
	orphaned.orphan(gone)
	all := map[string]*outside{"plain": plain, "orphaned": orphaned}
	contest(b, []string{"plain", "orphaned"}, func(name string) func() {
		c := all[name].command("list", "--json")
		return func() { all[name].must(c) }
	})
}

// BenchmarkRemove drops few sessions and many.
func BenchmarkRemove(b *testing.B) {
	counts := map[string]int{"few": 10, "many": 1000}
	if testing.Short() {
		counts["many"] = 100
	}
	o := warmOutside(b, "file")
	contest(b, []string{"few", "many"}, func(name string) func() {
		o.orphan(counts[name])
		c := o.command("remove", "--sessions-only", "--all")
		return func() { o.must(c) }
	})
}

// warmOutside has a role and the session of its key minted, by every
// contestant that can.
func warmOutside(b *testing.B, backend string) *outside {
	b.Helper()
	o := newContest(b, backend)
	o.cold()
	o.saveAnswer()
	o.credentials("default")
	if o.peer != "" {
		o.peerWarm()
	}
	return o
}

// race runs the floor, the keyring library, groat and the peer in turn. groat
// answers for a role; the peer for the key's session, since such programs
// call AWS for every role behind a code.
func (o *outside) race(b *testing.B) {
	commands := map[string]func() *exec.Cmd{
		"floor":   func() *exec.Cmd { return exec.Command(floorBinary(o.t), filepath.Join(o.home, "answer")) },
		"library": func() *exec.Cmd { return o.libraryCommand("answer") },
		"groat":   func() *exec.Cmd { return o.command("credential-process", "admin") },
		"peer":    func() *exec.Cmd { return o.peerCommand("export", "--format=json", "default") },
	}
	names := []string{"floor", "library", "groat"}
	if o.peer != "" {
		names = append(names, "peer")
	}
	contest(b, names, func(name string) func() {
		c := commands[name]()
		return func() { o.must(c) }
	})
}

// saveAnswer keeps an answer for the floor to print.
func (o *outside) saveAnswer() {
	o.t.Helper()
	if _, err := os.Stat(filepath.Join(o.home, "code")); err != nil {
		o.cold()
		o.slow()
	}
	out, err := o.command("credential-process", "admin").Output()
	if err != nil {
		o.t.Fatal(err)
	}
	o.write("answer", string(out))
}

// floors runs the floor n times at once.
func (o *outside) floors(n int) {
	cmds := make([]*exec.Cmd, n)
	for i := range cmds {
		cmds[i] = exec.Command(floorBinary(o.t), filepath.Join(o.home, "answer"))
		if err := cmds[i].Start(); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, c := range cmds {
		if err := c.Wait(); err != nil {
			o.t.Fatal(err)
		}
	}
}

// refresh is cold with AWS's latency.
func (o *outside) refresh() {
	o.ClearFaults()
	o.cold()
	o.slow()
}

func (o *outside) must(c *exec.Cmd) {
	var out, stderr bytes.Buffer
	c.Stdout, c.Stderr = &out, &stderr
	if err := c.Run(); err != nil {
		o.t.Fatalf("%q: %v\n%s", c.Args, err, stderr.String())
	}
}

// fill puts n items beside those that matter into the vault.
func (o *outside) fill(n int) {
	o.t.Helper()
	v := o.openVault()
	for i := range n {
		if err := v.Put(o.t.Context(), vault.KindSession, fmt.Sprintf("%064x", i), bytes.Repeat([]byte("x"), 1000)); err != nil {
			o.t.Fatal(err)
		}
	}
}

// orphan puts live sessions of n profiles that are gone into the vault.
func (o *outside) orphan(n int) {
	o.t.Helper()
	c := session.Cache{Store: sessionStore(o.openVault()), Flight: flight.Group{Dir: filepath.Join(o.t.TempDir(), "locks")}}
	for i := range n {
		name := fmt.Sprintf("gone-%d", i)
		req := session.Request{Key: session.Key(fmt.Sprintf("%064x", i)), Info: session.Info{Kind: "assumed-role", Profile: name}}
		if _, err := c.Do(o.t.Context(), req, func(context.Context) (session.Credentials, error) {
			return session.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(time.Hour)}, nil
		}); err != nil {
			o.t.Fatal(err)
		}
	}
}

// openVault opens the vault of the program under test in this process.
func (o *outside) openVault() vault.Vault {
	o.t.Helper()
	v, err := vault.Open(vault.Config{
		Backend: o.backend, FileDir: filepath.Join(o.home, ".local/share/groat/vault"), StateDir: filepath.Join(o.home, ".local/state/groat"),
		Environ: o.environ,
		Passphrase: func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
			return []byte("correct horse"), vault.FromEnvironment, nil
		},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = v.Close() })
	return v
}

// manyProfiles puts n other profiles before those that matter.
func (o *outside) manyProfiles(n int) {
	o.t.Helper()
	config, err := os.ReadFile(filepath.Join(o.home, ".aws/config"))
	if err != nil {
		o.t.Fatal(err)
	}
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "[profile other-%d]\nrole_arn = arn:aws:iam::123456789012:role/other-%d\nsource_profile = default\nregion = eu-west-1\n\n", i, i)
	}
	o.write(".aws/config", text.String()+string(config))
}
