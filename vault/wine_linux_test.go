package vault_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Go programs since 1.22 want ProcessPrng from bcryptprimitives.dll, which
// Wine 8 lacks: this library forwards it to RtlGenRandom.
const (
	shimSource = ".text\n.globl DllMain\nDllMain:\n movl $1,%eax\n ret\n"
	shimExport = "LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = ADVAPI32.SystemFunction036\n"
)

// wine prepares a throw-away prefix and gives the environment and the program.
func wine(t *testing.T) (program string, environ []string) {
	t.Helper()
	for _, program = range []string{"/usr/lib/wine/wine64", "wine64", "wine"} {
		if path, err := exec.LookPath(program); err == nil {
			program = path
			break
		}
	}
	dir := t.TempDir()
	prefix := filepath.Join(dir, "prefix")
	environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "GROAT_TEST_BACKENDS=wincred"}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env, cmd.Dir = environ, dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	for name, text := range map[string]string{"shim.s": shimSource, "shim.def": shimExport} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("x86_64-w64-mingw32-as", "shim.s", "-o", "shim.o")
	run("x86_64-w64-mingw32-dlltool", "--dllname", "bcryptprimitives.dll", "--input-def", "shim.def", "--output-exp", "shim.exp")
	run("x86_64-w64-mingw32-ld", "-shared", "-e", "DllMain", "-o", "bcryptprimitives.dll", "shim.o", "shim.exp")
	run(program, "wineboot", "-i")
	t.Cleanup(func() { run(program, "wineboot", "-k") }) // nothing of it stays behind
	run("cp", "bcryptprimitives.dll", filepath.Join(prefix, "drive_c/windows/system32/"))
	return program, environ
}

// TestUnderWine builds tests for Windows and runs them there: the contract
// suite on the Credential Manager, and the access lists of folders.
func TestUnderWine(t *testing.T) {
	promised(t, "wincred", "x86_64-w64-mingw32-as", "x86_64-w64-mingw32-dlltool", "x86_64-w64-mingw32-ld")
	program, environ := wine(t)
	for _, c := range []struct{ pkg, run, passes string }{
		{".", "^TestContractWinCred$", "TestContractWinCred/put_get"},
		{"./files", "^TestFoldersAreTheUsersAlone$", "TestFoldersAreTheUsersAlone"},
	} {
		exe := filepath.Join(t.TempDir(), "test.exe")
		build := exec.Command("go", "test", "-c", "-o", exe, c.pkg)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go test -c %s: %v\n%s", c.pkg, err, out)
		}
		cmd := exec.Command(program, exe, "-test.run="+c.run, "-test.v")
		cmd.Env, cmd.Dir = environ, filepath.Dir(exe)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+c.passes) {
			t.Errorf("%s: %v\n%s", c.pkg, err, out)
		}
	}
}
