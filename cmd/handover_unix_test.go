//go:build linux || darwin

package cmd

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	derived = "derive the vault key"
	handed  = "handed over the vault key"
)

// forgetful is the program with its passphrase in a variable and nothing that
// remembers the vault key, as in a container.
func forgetful(t testing.TB) *outside {
	o := newOutside(t)
	o.must(o.command("lock"))
	o.environ = slices.DeleteFunc(slices.Clone(o.environ), func(kv string) bool { return strings.HasPrefix(kv, "GROAT_UNLOCK_FOR=") })
	return o
}

// One of a crowd derives the vault key, whatever the others were started
// with; each has its own passphrase checked.
func TestOneOfACrowdDerives(t *testing.T) {
	o := forgetful(t)
	o.askAtGate()
	o.cold()
	const crowd = 100
	procs := []*stuck{o.start("admin", "GROAT_DEBUG=1")}
	o.untilAsked(1)
	for range crowd - 1 {
		procs = append(procs, o.start("admin", "GROAT_DEBUG=1"))
	}
	for _, p := range procs[1:] {
		p.untilSaid(handed)
	}
	o.start("admin", passphraseVariable+"=wrong").end(exitVault)
	o.answer(o.device.FreshCode())
	for _, p := range procs {
		p.end(0)
		o.parse([]byte(p.out.String()))
	}
	derivations := 0
	for _, p := range procs {
		derivations += strings.Count(p.stderr.String(), derived)
	}
	if derivations != 1 || o.asked() != 1 || o.Count("sts:GetSessionToken") != 1 {
		t.Errorf("%d derivations, %d questions, calls %v; want one of each", derivations, o.asked(), o.Names())
	}
}

// The kernel keyring is there and forbidden, as container runtimes have it.
func TestCrowdWithAForbiddenKeyring(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	o := newOutside(t) // GROAT_UNLOCK_FOR is set, in vain
	o.must(o.command("lock"))
	o.askAtGate()
	o.cold()
	begin := func() *stuck {
		s := &stuck{o: o, cmd: exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=keyctl,add_key,request_key",
			"-e", "inject=keyctl,add_key,request_key:error=EPERM", o.binary, "credential-process", "admin")}
		s.cmd.Env, s.cmd.Dir = append(slices.Clone(o.environ), "GROAT_DEBUG=1"), o.home
		return s.begin()
	}
	procs := []*stuck{begin()}
	o.untilAsked(1)
	for range 4 {
		procs = append(procs, begin())
	}
	for _, p := range procs[1:] {
		p.untilSaid(handed)
	}
	o.answer(o.device.FreshCode())
	for _, p := range procs {
		p.end(0)
		o.parse([]byte(p.out.String()))
	}
}

// Who derives is killed: the next does.
func TestNextDerivesWhenTheFirstIsGone(t *testing.T) {
	o := forgetful(t)
	o.askAtGate()
	o.cold()
	first := o.start("admin", "GROAT_DEBUG=1")
	o.untilAsked(1)
	if err := syscall.Kill(-first.cmd.Process.Pid, syscall.SIGKILL); err != nil { // its question goes with it
		t.Fatal(err)
	}
	first.end(-1)
	second := o.start("readonly", "GROAT_DEBUG=1")
	o.untilAsked(2)
	o.answer(o.device.FreshCode())
	second.end(0)
	if n := strings.Count(second.stderr.String(), derived); n != 1 {
		t.Errorf("%d derivations: %s", n, second.stderr.String())
	}
}

// BenchmarkCrowd: many cold processes with the passphrase in a variable only.
// all must stay within twice one call and what the processes cost to start.
func BenchmarkCrowd(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprintf("processes=%d", n), func(b *testing.B) {
			o := forgetful(b)
			o.slow()
			crowd := slices.Repeat([]string{"admin"}, n)
			times := map[string]time.Duration{}
			timed := func(name string, run func()) func() {
				return func() { begin := time.Now(); run(); times[name] += time.Since(begin) }
			}
			contest(b, []string{"starts", "one", "all"}, func(name string) func() {
				o.refresh()
				switch name {
				case "starts": // what the processes cost with the vault open and the session there
					open := *o
					open.environ = append(slices.Clone(o.environ), "GROAT_UNLOCK_FOR=10m")
					open.credentials("admin")
					run := timed(name, func() { open.together(crowd...) })
					return func() { run(); open.must(open.command("lock")) }
				case "one":
					return timed(name, func() { o.credentials("admin") })
				default:
					return timed(name, func() { o.together(crowd...) })
				}
			})
			b.ReportMetric(float64(times["all"])/float64(2*times["one"]+times["starts"]), "all/(2one+starts)")
		})
	}
}
