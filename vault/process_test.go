package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"groat/vault/accesskey"
	"groat/vault/files"
)

// overwriteJob is the worker that replaces the key of "p" once, or again and
// again until it is killed.
const overwriteJob = "overwrite"

func overwrite(dir, times string) error {
	ctx := context.Background()
	for i := 1; ; i++ {
		f, _ := testFile(dir, says("x"))
		f.disk.Before = func(string, string) error { _, err := os.Stdout.Write([]byte{'.'}); return err }
		if _, err := PutKey(ctx, f, "p", version(i), Card{}); err != nil || times == "once" {
			return err
		}
	}
}

func version(i int) accesskey.Key {
	return accesskey.Key{ID: fmt.Sprintf("AKIA%012d", i), Secret: strings.Repeat(fmt.Sprintf("secret of version %d ", i), 1+i%40)}
}

// workerVariable makes the test binary one of many processes that use one
// vault: its value is the worker's number and the vault's directory.
const workerVariable = "GROAT_TEST_VAULT_WORKER"

func TestMain(m *testing.M) {
	if job := os.Getenv(workerVariable); job != "" {
		number, dir, _ := strings.Cut(job, " ")
		run := work
		if number == overwriteJob {
			number, dir, _ = strings.Cut(dir, " ")
			run = func(times, dir string) error { return overwrite(dir, times) }
		}
		if err := run(number, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if workerDir != "" {
		_ = os.RemoveAll(workerDir)
	}
	os.Exit(code)
}

// work adds, reads, replaces and removes keys of its own and one that all
// workers share.
func work(number, dir string) error {
	ctx := context.Background()
	f, _ := testFile(dir, says("x"))
	defer func() { _ = f.Close() }()
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	own := func(i int) accesskey.Key {
		return accesskey.Key{ID: fmt.Sprintf("AKIA%012d", n), Secret: fmt.Sprintf("secret of %d, version %d", n, i)}
	}
	for i := range 2 {
		if _, err := PutKey(ctx, f, "own-"+number, own(i), Card{}); err != nil {
			return err
		}
		if err := holds(ctx, f, "own-"+number, own(i)); err != nil {
			return fmt.Errorf("worker %d: %w", n, err)
		}
		if _, err := PutKey(ctx, f, "shared", own(i), Card{}); err != nil {
			return err
		}
		// Whoever's it is by now, key ID, secret and card belong together.
		key, err := GetKey(ctx, f, "shared")
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if owner := strings.TrimLeft(strings.TrimPrefix(key.ID, "AKIA"), "0"); err == nil && !strings.HasPrefix(key.Secret, "secret of "+number0(owner)+",") {
			return fmt.Errorf("worker %d read a torn key: %s", n, key.ID)
		}
		if _, err := GetCard(ctx, f, "shared"); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if n%10 == 9 {
			if err := RemoveKey(ctx, f, "shared"); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if err := f.Put(ctx, KindSession, "s-"+number, []byte(strings.Repeat(number, 500))); err != nil {
			return err
		}
		if _, err := f.Names(ctx, KindSession); err != nil {
			return err
		}
	}
	if n%2 == 1 {
		return RemoveKey(ctx, f, "own-"+number)
	}
	return nil
}

func number0(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// workerProgram is this test binary, or one without the race detector if this
// one has it: workers share no memory, and start in a fraction of its time.
var workerProgram = sync.OnceValues(func() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return os.Executable()
	}
	dir, err := os.MkdirTemp("", "groat-test-bin-")
	if err != nil {
		return "", err
	}
	workerDir = dir
	path := filepath.Join(dir, "worker")
	if out, err := exec.Command("go", "test", "-c", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go test -c: %w\n%s", err, out)
	}
	return path, nil
})

var workerDir string // where workerProgram was built; removed at the end

// TestProcesses: two and a hundred processes add, remove and read at once, in
// a vault that none of them has made before.
func TestProcesses(t *testing.T) {
	for _, workers := range []int{2, 100} {
		t.Run(strconv.Itoa(workers), func(t *testing.T) {
			if workers > 2 && testing.Short() {
				t.Skip("many processes")
			}
			dir := newDir(t)
			self, err := workerProgram()
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range workers {
				wg.Go(func() {
					c := exec.Command(self)
					c.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", workerVariable, i, dir))
					if out, err := c.CombinedOutput(); err != nil {
						t.Errorf("worker %d: %v\n%s", i, err, out)
					}
				})
			}
			wg.Wait()
			f, _ := testFile(dir, says("x"))
			ctx := t.Context()
			for i := range workers {
				name := fmt.Sprintf("own-%d", i)
				want := accesskey.Key{ID: fmt.Sprintf("AKIA%012d", i), Secret: fmt.Sprintf("secret of %d, version 1", i)}
				if i%2 == 1 {
					if err := gone(ctx, f, KindKey, name); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				} else if err := holds(ctx, f, name, want); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if names, err := f.Names(ctx, KindSession); err != nil || len(names) != workers {
				t.Errorf("%d sessions, %v", len(names), err)
			}
			if left, err := filepath.Glob(filepath.Join(dir, files.TempPrefix+"*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			t.Logf("%d processes: 0 keys lost, 0 torn", workers)
		})
	}
}
