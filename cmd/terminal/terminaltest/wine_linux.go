package terminaltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ForWindows runs the go command for Windows.
func ForWindows(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
}

// Wine prepares a throw-away prefix in dir, in which command runs programs for
// Windows. Go programs want ProcessPrng from bcryptprimitives.dll, which Wine 8
// lacks: a library that forwards it to RtlGenRandom is put there.
func Wine(t *testing.T, dir string) (command func(words ...string) *exec.Cmd, stop func()) {
	t.Helper()
	program := "wine"
	for _, p := range []string{"/usr/lib/wine/wine64", "wine64"} {
		if path, err := exec.LookPath(p); err == nil {
			program = path
			break
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "WINEPREFIX=" + filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
	must := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env, cmd.Dir = env, dir
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
	must("x86_64-w64-mingw32-as", "shim.s", "-o", "shim.o")
	must("x86_64-w64-mingw32-dlltool", "--dllname", "bcryptprimitives.dll", "--input-def", "shim.def", "--output-exp", "shim.exp")
	must("x86_64-w64-mingw32-ld", "-shared", "-e", "DllMain", "-o", "bcryptprimitives.dll", "shim.o", "shim.exp")
	must(program, "wineboot", "-i")
	stop = func() {
		must(program, "wineboot", "-k")
		// What is started next must not find the old server on its way out:
		// that one has no display.
		if server, err := exec.LookPath("/usr/lib/wine/wineserver"); err == nil {
			must(server, "-w")
		}
	}
	t.Cleanup(stop) // nothing of it stays behind
	must("cp", "bcryptprimitives.dll", filepath.Join(dir, "prefix/drive_c/windows/system32/"))
	return func(words ...string) *exec.Cmd {
		cmd := exec.Command(program, words...)
		cmd.Env, cmd.Dir = env[:len(env):len(env)], dir
		return cmd
	}, stop
}
