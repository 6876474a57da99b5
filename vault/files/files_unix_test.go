//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// other is the number of another user.
const other = 65534

func put(t *testing.T, path, text string, mode fs.FileMode) string {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
	must(t, os.Chmod(path, mode))
	return path
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func needsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
}

func TestWhatOthersMayHaveWrittenIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(t *testing.T, dir, path string)
		steers  string // in the error, then in its remedy; "" = it is read
		remedy  string
		private string
	}{
		{"ours", func(*testing.T, string, string) {}, "", "", ""},
		{"readable by all", func(t *testing.T, _, path string) { must(t, os.Chmod(path, 0o644)) }, "", "", "FILE is open to others (mode 0644)"},
		{"writable by all", func(t *testing.T, _, path string) { must(t, os.Chmod(path, 0o666)) }, "FILE can be written by others (mode 0666)", "chmod go-w FILE", "FILE is open to others"},
		{"of another group", func(t *testing.T, _, path string) {
			needsRoot(t)
			must(t, os.Chown(path, 0, 4321), os.Chmod(path, 0o620))
		}, "FILE can be written by others (mode 0620)", "chmod go-w FILE", "FILE is open to others"},
		{"of another user", func(t *testing.T, _, path string) { needsRoot(t); must(t, os.Chown(path, other, other)) },
			"FILE belongs to another user (65534)", "sudo chown -R 0 FILE", "FILE belongs to another user"},
		{"in a folder of all", func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o777)) }, "DIR can be written by others (mode 0777)", "chmod go-w DIR", ""},
		{"in a sticky folder", func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o777|fs.ModeSticky)) }, "", "", ""},
		{"in another user's folder", func(t *testing.T, dir, _ string) {
			needsRoot(t)
			must(t, os.Chmod(dir, 0o777|fs.ModeSticky), os.Chown(dir, other, other))
		}, "DIR belongs to another user", "chown", ""},
		{"a link", func(t *testing.T, _, path string) {
			must(t, os.Rename(path, path+".real"), os.Symlink(filepath.Base(path)+".real", path))
		}, "", "", "FILE is a symbolic link"},
		{"a link to a folder of all", func(t *testing.T, _, path string) {
			away := t.TempDir()
			must(t, os.Chmod(away, 0o777), os.Rename(path, filepath.Join(away, "x")), os.Symlink(filepath.Join(away, "x"), path))
		}, "can be written by others (mode 0777)", "chmod go-w", "FILE is a symbolic link"},
		{"a link in a folder of all", func(t *testing.T, dir, path string) {
			away := filepath.Join(t.TempDir(), "x")
			must(t, os.Chmod(dir, 0o777), os.Rename(path, away), os.Symlink(away, path))
		}, "DIR can be written by others (mode 0777)", "chmod go-w", "FILE is a symbolic link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, filepath.Join(dir, "it's"), "text", 0o600)
			c.spoil(t, dir, path)
			for _, rule := range []Rule{Any, Stream, Private, Steering} { // the last one's remedy is carried out
				want := map[Rule]string{Stream: c.steers, Steering: c.steers, Private: c.private}[rule]
				want = strings.NewReplacer("FILE", path, "DIR", dir).Replace(want)
				data, err := Read(path, 10, rule)
				var access *AccessError
				switch {
				case want == "" && (err != nil || string(data) != "text"):
					t.Errorf("rule %d: %q, %v", rule, data, err)
				case want != "" && (data != nil || !errors.As(err, &access) || !strings.Contains(err.Error(), want)):
					t.Errorf("rule %d: %q, %v, want %q", rule, data, err, want)
				case want != "" && rule == Steering:
					remedy := strings.NewReplacer("FILE", Word(path), "DIR", Word(dir)).Replace(c.remedy)
					if !strings.Contains(access.Hint(), remedy) {
						t.Errorf("hint %q, want %q", access.Hint(), remedy)
					}
					if !strings.HasPrefix(access.Remedy, "chmod") {
						continue
					}
					if out, err := exec.Command("sh", "-c", access.Remedy).CombinedOutput(); err != nil {
						t.Errorf("the remedy: %v %s", err, out)
					}
					if data, err := Read(path, 10, rule); err != nil || string(data) != "text" {
						t.Errorf("after the remedy: %q, %v", data, err)
					}
				}
			}
		})
	}
}

// Whatever lies in a file's place, nobody waits and nothing fills the memory.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	place := func(name string) string { return filepath.Join(dir, name) }
	must(t, syscall.Mkfifo(place("pipe"), 0o600), os.Mkdir(place("folder"), 0o700), os.Symlink("nowhere", place("dangling")),
		os.Symlink("loop", place("loop")), os.Symlink("/dev/zero", place("endless")), os.Symlink(os.DevNull, place("nothing")))
	put(t, place("large"), "", 0o600)
	must(t, os.Truncate(place("large"), 5<<30))
	for name, want := range map[string]error{"pipe": ErrIrregular, "folder": ErrIrregular, "dangling": fs.ErrNotExist, "loop": errManyLinks,
		"endless": ErrIrregular, "large": ErrTooLarge, "nothing": nil} {
		for _, rule := range []Rule{Any, Steering, Private} {
			if name == "pipe" && rule == Any || name == "loop" && rule == Any {
				continue
			}
			data, err := Read(place(name), 100, rule)
			linked := name != "pipe" && name != "folder" && name != "large"
			if rule == Private && linked && errors.As(err, new(*AccessError)) {
				continue
			}
			if !errors.Is(err, want) || len(data) != 0 {
				t.Errorf("%s under rule %d: %q, %v", name, rule, data, err)
			}
		}
	}
	if data, err := Read(os.DevNull, 100, Steering); err != nil || len(data) != 0 {
		t.Errorf("the null device: %q, %v", data, err)
	}
}

// A shell's <(…) is a link to a pipe among the process's own descriptors.
func TestStreamReadsAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	_, err = w.WriteString("secret\n")
	must(t, err, w.Close())
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := Read(path, 100, Steering); !errors.Is(err, ErrIrregular) {
		t.Errorf("a steering file: %v", err)
	}
	if data, err := Read(path, 100, Stream); err != nil || string(data) != "secret\n" {
		t.Errorf("%q, %v", data, err)
	}
}

// A descriptor that we were given is no way around the rule: a pipe in it is
// not waited for, and the descriptors of another user's process are not ours.
func TestDescriptorsAsFilesThatSteer(t *testing.T) {
	dir := t.TempDir()
	pipe, path := filepath.Join(dir, "pipe"), put(t, filepath.Join(dir, "file"), "text", 0o600)
	must(t, syscall.Mkfifo(pipe, 0o600))
	steering := func(path string) ([]byte, error) {
		t.Helper()
		type result struct {
			data []byte
			err  error
		}
		done := make(chan result, 1)
		go func() { data, err := Read(path, 100, Steering); done <- result{data, err} }()
		select {
		case r := <-done:
			return r.data, r.err
		case <-time.After(time.Minute):
			t.Fatal("it waits for a writer")
			return nil, nil
		}
	}
	p, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	must(t, err)
	defer p.Close()
	if _, err := steering(fmt.Sprintf("/dev/fd/%d", p.Fd())); !errors.Is(err, ErrIrregular) {
		t.Errorf("a pipe: %v", err)
	}
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	ours := fmt.Sprintf("/dev/fd/%d", f.Fd())
	if data, err := steering(ours); err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
	must(t, os.Chmod(path, 0o666))
	if data, err := steering(ours); data != nil || !errors.As(err, new(*AccessError)) {
		t.Errorf("writable by others: %q, %v", data, err)
	}
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		return // no process shows its descriptors to another
	}
	needsRoot(t)
	must(t, os.Chmod(path, 0o600))
	c := exec.Command("sleep", "600")
	c.Stdin, c.SysProcAttr = f, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	must(t, c.Start())
	defer func() { _, _ = c.Process.Kill(), c.Wait() }()
	if data, err := steering(fmt.Sprintf("/proc/%d/fd/0", c.Process.Pid)); data != nil || !errors.As(err, new(*AccessError)) {
		t.Errorf("another user's descriptor: %q, %v", data, err)
	}
}

// Another user's process believes neither our file nor its folder, whatever
// they let it read; the system's files it believes.
func TestAnotherUserIsNotBelieved(t *testing.T) {
	const as = "GROAT_TEST_READ"
	if path := os.Getenv(as); path != "" {
		_, err := Read(path, 1<<20, Steering)
		fmt.Println("read:", err)
		return
	}
	needsRoot(t)
	self, err := os.Executable()
	must(t, err)
	dir, err := os.MkdirTemp("", "files") // t.TempDir's parent is closed to others
	must(t, err, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "test")
	binary, err := os.ReadFile(self)
	must(t, err, os.WriteFile(program, binary, 0o755)) //nolint:gosec // the other user runs it
	path := put(t, filepath.Join(dir, "f"), "x", 0o644)
	read := func(path string) string {
		c := exec.Command(program, "-test.run", "^"+t.Name()+"$")
		c.Dir, c.Env = dir, []string{as + "=" + path}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
		out, err := c.CombinedOutput()
		must(t, err)
		return string(out)
	}
	if out := read(path); !strings.Contains(out, "read: <nil>") {
		t.Errorf("root's file: %s", out)
	}
	must(t, os.Chown(path, 4321, 4321))
	if out := read(path); !strings.Contains(out, "belongs to another user (4321)") {
		t.Errorf("a third user's file: %s", out)
	}
	must(t, os.Chown(path, other, other), os.Chmod(path, 0o664))
	if out := read(path); !strings.Contains(out, "read: <nil>") {
		t.Errorf("a file of its private group: %s", out)
	}
}

// The new file has the owner, group and mode of the old one.
func TestReplaceKeepsWhoOwnsAFile(t *testing.T) {
	needsRoot(t)
	path := put(t, filepath.Join(t.TempDir(), "config"), "old", 0o640)
	must(t, os.Chown(path, 0, 4321))
	before, err := os.Stat(path)
	must(t, err, Disk{}.Replace(path, []byte("old"), []byte("new"), 10, false))
	after, err := os.Stat(path)
	must(t, err)
	if _, _, differ := ownerDiffers(before, after); differ || before.Mode() != after.Mode() || os.SameFile(before, after) {
		t.Errorf("%v → %v, owner differs: %v", before.Mode(), after.Mode(), differ)
	}
}
