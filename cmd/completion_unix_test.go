//go:build unix

package cmd

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// shellSession is a real shell on a terminal of its own.
type shellSession struct {
	t   *testing.T
	tty *os.File
	got chan []byte
	all bytes.Buffer
}

// startShell starts argv in a fresh HOME with groat first in PATH.
func startShell(t *testing.T, environ []string, argv ...string) *shellSession {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	for _, entry := range environ {
		if path, ok := strings.CutPrefix(entry, "PATH="); ok {
			entry = "PATH=" + filepath.Dir(groatBinary(t)) + ":" + path
		}
		c.Env = append(c.Env, entry)
	}
	c.Env = append(c.Env, "TERM=xterm", "LC_ALL=C.UTF-8")
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	s := &shellSession{t: t, tty: tty, got: make(chan []byte, 100)}
	go func() {
		defer close(s.got)
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			if n > 0 {
				s.got <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = tty.Close()
	})
	return s
}

// send types, then waits until the screen has shown want since.
func (s *shellSession) send(keys, want string) {
	s.t.Helper()
	s.all.Reset()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
	timeout := time.After(20 * time.Second)
	for !strings.Contains(s.all.String(), want) {
		select {
		case b, ok := <-s.got:
			if !ok {
				s.t.Fatalf("the shell ended; it had shown %q", s.all.String())
			}
			s.all.Write(b)
		case <-timeout:
			s.t.Fatalf("after %q there is no %q in %q", keys, want, s.all.String())
		}
	}
}

// completionEnvironment has the peers' profiles and no vault at all.
func completionEnvironment(t *testing.T) []string {
	t.Helper()
	return newAWS().environment(t)
}

func TestCompletionInBash(t *testing.T) {
	bash := requireShell(t, "bash")
	s := startShell(t, completionEnvironment(t), bash, "--norc", "--noprofile", "-i")
	s.send("PS1='> '; set +o history; source <(groat completion bash); echo rea''dy\n", "ready\r\n")
	s.send("groat exec rea\t", "readonly ")
	s.send("-- ec\t\t", "echo")
	s.send("\x15groat expo\t", "export ")
	s.send("--format=pow\t", "--format=powershell")
	s.send("\x15groat --file-dir /et\t", "/etc/")
	s.send("\x15groat completion z\t", "zsh ")
	s.send("\x15groat exec --no-se\t", "--no-session ")
	s.send("adm\t", "admin ")
}

func TestCompletionInZsh(t *testing.T) {
	zsh := requireShell(t, "zsh")
	s := startShell(t, completionEnvironment(t), zsh, "-f", "-i")
	s.send("PS1='> '; autoload -U compinit; compinit -D -u; source <(groat completion zsh); echo rea''dy\n", "ready\r\n")
	s.send("groat exec rea\t", "readonly")
	s.send("-- ech\t", "echo")
	s.send("\x15groat expo\t", "export")
	s.send("--format pow\t", "powershell")
	s.send("\x15groat --file-dir /et\t", "--file-dir /etc")
	s.send("\x15groat ex\t", "Run a command, or a subshell, with credentials.")
}

func TestCompletionInFish(t *testing.T) {
	fish := requireShell(t, "fish")
	environ := completionEnvironment(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "groat.fish")
	if err := os.WriteFile(script, []byte(mustRun(t, environ, "", "completion", "fish").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"groat exec rea":                 "readonly\tarn:aws:iam::123456789012:role/readonly-role\n",
		"groat expo":                     "export\tPrint credentials for a shell, a file or another tool.\n",
		"groat export --format pow":      "powershell\n",
		"groat export --format=pow":      "--format=powershell\n",
		"groat exec readonly -- groat v": "version\tPrint the version.\n",
		"groat --file-dir /et":           "/etc/\n",
		"groat exec --no-se":             "--no-session\tNo GetSessionToken: the role straight from the key, or the bare key.\n",
	} {
		c := exec.CommandContext(t.Context(), fish, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line)
		for _, entry := range environ {
			if path, ok := strings.CutPrefix(entry, "PATH="); ok {
				entry = "PATH=" + filepath.Dir(groatBinary(t)) + ":" + path
			}
			c.Env = append(c.Env, entry)
		}
		out, err := c.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), strings.TrimSuffix(want, "\n")) {
			t.Errorf("%q completes to %q (%v), want %q", line, out, err, want)
		}
	}
}
