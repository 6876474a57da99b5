package cmd

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A warm credential process: no network, no listing, no other program, no
// long-lived key, no lock, nothing written but the answer.
func TestWarmCallAsTheKernelSeesIt(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	o := newOutside(t)
	o.cold()
	first := o.credentials("admin")
	log := filepath.Join(t.TempDir(), "calls")
	c := exec.Command(strace, "-f", "-o", log, "-e", "trace=%process,%network,%file,%desc", "-e", "signal=none", "-s", "300", o.binary, "credential-process", "admin")
	c.Env, c.Dir = o.environ, o.home
	out, err := c.Output()
	if err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	if o.parse(out) != first {
		t.Fatal("another answer under strace")
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	executed, written := 0, 0
	for line := range strings.Lines(string(data)) {
		_, call, _ := strings.Cut(line, " ")
		call = strings.TrimLeft(call, " ")
		name, args, _ := strings.Cut(call, "(")
		failed := strings.Contains(line, "= -1 ")
		switch name {
		case "execve":
			executed++
		case "socket", "connect", "getdents64", "getdents", "fork", "vfork", "execveat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "flock", "fsync":
			t.Errorf("a warm call makes %s", strings.TrimSpace(call))
		case "clone", "clone3":
			if !strings.Contains(args, "CLONE_THREAD") {
				t.Errorf("a warm call starts a process: %s", strings.TrimSpace(call))
			}
		case "write":
			written++
		case "openat", "open":
			if strings.Contains(args, "O_CREAT") || strings.Contains(args, "O_WRONLY") || strings.Contains(args, "O_RDWR") {
				t.Errorf("a warm call opens for writing: %s", strings.TrimSpace(call))
			}
			if !failed && strings.Contains(args, "/vault/key.") {
				t.Errorf("a warm call opens a long-lived key: %s", strings.TrimSpace(call))
			}
		}
	}
	if executed != 1 || written != 1 {
		t.Errorf("%d programs run, %d writes", executed, written)
	}
}

// Every package that is initialised before main costs every call. One that is
// not in testdata/startup-packages.txt has slipped into the program: find out
// what it costs (GODEBUG=inittrace=1), and whether it can be had later.
func TestStartUpInitialisesNoNewPackage(t *testing.T) {
	c := exec.Command(groatBinary(t), "version")
	c.Env = []string{"GODEBUG=inittrace=1"}
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile("testdata/startup-packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	allowed := strings.Fields(string(known))
	line := regexp.MustCompile(`^init (\S+) @.* (\d+) bytes, (\d+) allocs$`)
	var packages []string
	bytes := 0
	for s := bufio.NewScanner(strings.NewReader(stderr.String())); s.Scan(); {
		m := line.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		bytes += n
		packages = append(packages, m[1])
		if strings.HasPrefix(m[1], "groat/") && n > ourStartupBytes {
			t.Errorf("%s: a package of ours should do that on first use (sync.OnceValue)", s.Text())
		}
		if !slices.Contains(allowed, m[1]) {
			t.Errorf("new at start-up: %s (if it must be: GROAT_TEST_UPDATE=1 go test ./cmd -run StartUp)", s.Text())
		}
	}
	if len(packages) < 50 {
		t.Fatalf("the trace names %d packages only: %s", len(packages), stderr.String())
	}
	if bytes > startupBytes {
		t.Errorf("package initialisers allocate %d bytes, the budget is %d", bytes, startupBytes)
	}
	if os.Getenv("GROAT_TEST_UPDATE") != "" {
		slices.Sort(packages)
		if err := os.WriteFile("testdata/startup-packages.txt", []byte(strings.Join(packages, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d packages, %d bytes", len(packages), bytes)
	}
}

// The budgets of the released program.
const (
	startupBytes    = 640 << 10 // allocated by package initialisers
	ourStartupBytes = 6 << 10   // by each of ours
	binaryBytes     = 16_000_000
	residentKiB     = 12 << 10
)

func TestReleaseIsSmall(t *testing.T) {
	info, err := os.Stat(groatBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > binaryBytes {
		t.Errorf("the program has %d bytes, the budget is %d", info.Size(), binaryBytes)
	}
}

func TestWarmCallNeedsLittleMemory(t *testing.T) {
	o := newOutside(t)
	o.cold()
	o.credentials("admin")
	c := exec.Command(floorBinary(t), "rss", o.binary, "credential-process", "admin")
	c.Env = o.environ
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KiB", kib)
	if kib > residentKiB {
		t.Errorf("a warm call had %d KiB resident, the budget is %d", kib, residentKiB)
	}
}

// Warm works where nothing can be written: a read-only home directory.
func TestWarmCallInAReadOnlyHome(t *testing.T) {
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		t.Skip("bubblewrap is not installed")
	}
	o := newOutside(t)
	o.cold()
	first := o.credentials("admin")
	c := exec.Command(bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-net", o.binary, "credential-process", "admin")
	c.Env, c.Dir = o.environ, o.home
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if strings.HasPrefix(stderr.String(), "bwrap:") {
		t.Skipf("bubblewrap does not work here: %s", stderr.String())
	}
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if o.parse(out) != first {
		t.Error("another answer")
	}
}

// What a call needs of the file system it reads once: both copies of the
// header, the vault's folder and the one above, the list of users, each item.
func TestACallReadsEachFileOnce(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	o := newOutside(t)
	o.cold()
	o.credentials("admin")
	o.credentials("readonly")
	read := regexp.MustCompile(`(?:openat\(AT_FDCWD, |newfstatat\(AT_FDCWD, |open\(|l?stat\()"([^"]*/groat/vault(?:/header(?:\.bak)?|/card\.[^"]*|/session\.[^"]*)?|[^"]*/share/groat|/etc/passwd)", (O_RDONLY|\{)`)
	stats := regexp.MustCompile(`stat\w*\(.*/vault/`) // a look at whether a file is still the one that was read
	for _, words := range [][]string{{"credential-process", "admin"}, {"list"}} {
		log := filepath.Join(t.TempDir(), "calls")
		c := exec.Command(strace, append([]string{"-f", "-o", log, "-e", "trace=%file", "-e", "signal=none", "-s", "300", o.binary}, words...)...)
		c.Env, c.Dir = o.environ, o.home
		if out, err := c.CombinedOutput(); err != nil {
			t.Skipf("strace does not work here: %v %s", err, out)
		}
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for line := range strings.Lines(string(data)) {
			if m := read.FindStringSubmatch(line); m != nil && !strings.Contains(line, "O_DIRECTORY") && !stats.MatchString(line) {
				times[m[1]]++
			}
		}
		for path, n := range times {
			if n != 1 {
				t.Errorf("groat %s reads %s %d times", strings.Join(words, " "), path, n)
			}
		}
		if len(times) < 5 {
			t.Errorf("groat %s reads only %v", strings.Join(words, " "), times)
		}
	}
}
