package terminal

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// The console and the credential dialog of Windows, as Wine has them.
func TestWindowsUnderWine(t *testing.T) {
	if !slices.Contains(strings.Split(os.Getenv(promptsVar), ","), "wincredui") {
		t.Skipf("%s does not name wincredui", promptsVar)
	}
	dir := t.TempDir()
	run, stop := wine(t, dir)
	out := filepath.Join(dir, "out")
	ended := func(want string) {
		t.Helper()
		b, err := os.ReadFile(out)
		if err != nil || string(b) != want+"\n" {
			t.Errorf("%q, %v; want %q", b, err, want)
		}
		_ = os.Remove(out)
	}
	for _, c := range []struct{ kind, prompt, keys, want string }{
		{"code", "token code:", "123 456\r", "answer=123456"},
		{"secret", "passphrase:", "hunter2\r", "answer=hunter2"},
		{"secret", "passphrase:", "half\x03", "interrupted"},
		{"code", "token code:", "\x1a\r", "cancelled"},
		{"code", "token code:", "12", "timeout"},
	} {
		cmd := run("terminal", c.kind, "Z:"+out)
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := terminaltest.StartAttached(t, cmd)
		s.Sees(c.prompt, 1)
		time.Sleep(time.Second) // Wine's console loses keys until it reads, and shows no sign of that
		s.Types(c.keys)
		s.Wait()
		ended(c.want)
		if c.kind == "secret" && (strings.Contains(s.Screen(), "hunter") || strings.Contains(s.Screen(), "half")) {
			t.Errorf("the secret is on the screen:\n%q", s.Screen())
		}
	}
	stop() // what Wine has running by now has no display
	display := terminaltest.StartDisplay(t)
	for _, c := range []struct{ text, key, want string }{{"hunter2", "Return", "answer=hunter2"}, {"", "Escape", "cancelled"}} {
		cmd := run("wincredui", "secret", "Z:"+out)
		cmd.Env = append(cmd.Env, "DISPLAY="+display.Name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		display.Answer(c.text, c.key)
		_ = cmd.Wait()
		ended(c.want)
	}
}

// wine prepares a throw-away prefix with the asker for Windows in it. Go
// programs want ProcessPrng from bcryptprimitives.dll, which Wine 8 lacks: a
// library that forwards it to RtlGenRandom is put there.
func wine(t *testing.T, dir string) (run func(args ...string) *exec.Cmd, stop func()) {
	t.Helper()
	program := "wine"
	for _, p := range []string{"/usr/lib/wine/wine64", "wine64"} {
		if path, err := exec.LookPath(p); err == nil {
			program = path
			break
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "WINEPREFIX=" + filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
	must := func(where, name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env, cmd.Dir = env, where
		if where == "" {
			cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	for name, text := range map[string]string{
		"shim.s":   ".text\n.globl DllMain\nDllMain:\n movl $1,%eax\n ret\n",
		"shim.def": "LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = ADVAPI32.SystemFunction036\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(dir, "x86_64-w64-mingw32-as", "shim.s", "-o", "shim.o")
	must(dir, "x86_64-w64-mingw32-dlltool", "--dllname", "bcryptprimitives.dll", "--input-def", "shim.def", "--output-exp", "shim.exp")
	must(dir, "x86_64-w64-mingw32-ld", "-shared", "-e", "DllMain", "-o", "bcryptprimitives.dll", "shim.o", "shim.exp")
	exe := filepath.Join(dir, "asker.exe")
	must("", "go", "build", "-o", exe, "./testdata/asker")
	must(dir, program, "wineboot", "-i")
	stop = func() {
		must(dir, program, "wineboot", "-k")
		// What is started next must not find the old server on its way out:
		// that one has no display.
		if server, err := exec.LookPath("/usr/lib/wine/wineserver"); err == nil {
			must(dir, server, "-w")
		}
	}
	t.Cleanup(stop) // nothing of it stays behind
	must(dir, "cp", "bcryptprimitives.dll", filepath.Join(dir, "prefix/drive_c/windows/system32/"))
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, append([]string{exe}, args...)...)
		cmd.Env, cmd.Dir = env[:len(env):len(env)], dir
		return cmd
	}, stop
}
