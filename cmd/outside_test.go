package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/provider/ststest"
)

// outside is the real program, seen from outside: a fresh HOME with a key in
// the file vault, the strict double, and a device that answers by itself
// through mfa_process and counts how often it was asked.
type outside struct {
	*aws
	t       testing.TB
	backend string
	binary  string
	home    string
	environ []string
	peer    string // the program that the benchmarks compare with; "" = none
}

func newOutside(t testing.TB) *outside { return newOutsideOn(t, "file") }

// newOutsideOn is newOutside on another backend, with more environment.
func newOutsideOn(t testing.TB, backend string, environ ...string) *outside {
	t.Helper()
	return newOutsideAt(t, startAWS(t), backend, environ...)
}

// newOutsideAt is newOutsideOn at a double that stands already.
func newOutsideAt(t testing.TB, a *aws, backend string, environ ...string) *outside {
	t.Helper()
	needPOSIX(t)
	o := &outside{aws: a, t: t, backend: backend, binary: groatBinary(t), environ: append(a.environment(t), "GROAT_BACKEND="+backend)}
	o.environ = append(o.environ, environ...)
	o.home = homeOf(o.environ)
	// The vault stays open for a while, as it does for people who type their
	// passphrase: without it each process would derive the key anew.
	o.environ = append(o.environ, "GROAT_UNLOCK_FOR=10m")
	t.Cleanup(func() { _, _ = o.command("lock").CombinedOutput() })
	o.write(".aws/config", strings.ReplaceAll(awsConfigOfThePeers, "mfa_serial=", mfaProcess+"mfa_serial="))
	c := o.command("add", "default", "--stdin")
	c.Stdin = strings.NewReader(a.key.ID + " " + a.key.Secret + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("add: %v\n%s", err, out)
	}
	return o
}

// groatBinary is the program as it is released (no cgo, stripped), built once
// for all tests that look at it from outside.
func groatBinary(t testing.TB) string { return buildOnce(t, &released, "groat", "groat/cmd/groat") }

// floorBinary is testdata/floor.
func floorBinary(t testing.TB) string { return buildOnce(t, &floor, "floor", "./testdata/floor") }

// libraryBinary is testdata/library.
func libraryBinary(t testing.TB) string {
	return buildOnce(t, &library, "library", "./testdata/library")
}

var released, floor, library built

type built struct {
	once sync.Once
	path string
	err  error
}

func buildOnce(t testing.TB, b *built, name, pkg string) string {
	t.Helper()
	b.once.Do(func() {
		var dir string
		if dir, b.err = os.MkdirTemp("", "groat-test-bin-"); b.err != nil {
			return
		}
		b.path = filepath.Join(dir, name)
		if runtime.GOOS == "windows" {
			b.path += ".exe"
		}
		c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.path, pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func needPOSIX(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no POSIX shell on this machine")
	}
}

func (o *outside) write(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.home, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outside) command(words ...string) *exec.Cmd {
	c := exec.Command(o.binary, words...)
	c.Env = o.environ
	c.Dir = o.home
	return c
}

// cold forgets every session, what codes were used, and who asked; the device
// shows a code that the double takes.
func (o *outside) cold() {
	o.t.Helper()
	vault := filepath.Join(o.home, ".local/share/groat/vault")
	for _, pattern := range []string{vault + "/session.*", vault + "/locks/*", o.home + "/asked"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				o.t.Fatal(err)
			}
		}
	}
	o.newCode()
	o.ResetCalls()
}

// newCode makes the device show a code that the double takes.
func (o *outside) newCode() {
	o.device.Forget()
	o.write("code", o.device.Code(time.Now()))
}

// mfaProcess is the device: it notes that it was asked and prints its code.
const mfaProcess = "mfa_process=sh -c 'echo >>$HOME/asked; cat $HOME/code'\n"

// asked is how often the device was asked since cold.
func (o *outside) asked() int {
	data, err := os.ReadFile(filepath.Join(o.home, "asked"))
	if err != nil && !os.IsNotExist(err) {
		o.t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

// credentials runs credential-process and returns its answer.
func (o *outside) credentials(words ...string) processOutput {
	o.t.Helper()
	c := o.command(append([]string{"credential-process"}, words...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil || stderr.Len() > 0 {
		o.t.Fatalf("credential-process %q: %v\n%s", words, err, stderr.String())
	}
	return o.parse(out)
}

func (o *outside) parse(out []byte) processOutput {
	o.t.Helper()
	var p processOutput
	if err := json.Unmarshal(out, &p); err != nil || p.Version != 1 || p.SessionToken == "" {
		o.t.Fatalf("answer %q: %v", out, err)
	}
	return p
}

// together runs one credential-process per word at the same time and returns
// their answers.
func (o *outside) together(profiles ...string) []processOutput {
	o.t.Helper()
	cmds := make([]*exec.Cmd, len(profiles))
	outs := make([]bytes.Buffer, 2*len(profiles))
	for i, p := range profiles {
		cmds[i] = o.command("credential-process", p)
		cmds[i].Stdout, cmds[i].Stderr = &outs[2*i], &outs[2*i+1]
	}
	for _, c := range cmds {
		if err := c.Start(); err != nil {
			o.t.Fatal(err)
		}
	}
	answers := make([]processOutput, len(profiles))
	failed := 0
	for i, c := range cmds {
		if err := c.Wait(); err != nil {
			failed++
			o.t.Errorf("process %d for %s: %v: %s", i, profiles[i], err, outs[2*i+1].String())
			continue
		}
		answers[i] = o.parse(outs[2*i].Bytes())
	}
	if failed > 0 {
		o.t.Fatalf("%d of %d processes failed", failed, len(cmds))
	}
	return answers
}

// slow makes every call take as long as AWS's do.
func (o *outside) slow() {
	o.Inject(ststest.Fault{Kind: ststest.FaultLatency, Latency: awsLatency})
}

const awsLatency = 80 * time.Millisecond
