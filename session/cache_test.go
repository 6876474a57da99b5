package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestDoMintsOnceThenServes(t *testing.T) {
	c, store, _, warned := testCache(t)
	n, missed := 0, 0
	c.OnMiss = func() { missed++ }
	for range 3 {
		creds, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now))
		if err != nil || creds.SessionToken != "token-1" {
			t.Fatalf("got %v, %v", creds, err)
		}
	}
	if n != 1 || missed != 1 || len(store.items) != 1 || len(warned.list()) != 0 {
		t.Errorf("%d mints, %d items, warnings %q", n, len(store.items), warned.list())
	}
}

func TestHitTakesNoLockAndWritesNothing(t *testing.T) {
	c, store, _, _ := testCache(t)
	n := 0
	if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
	c.Flight.Dir = filepath.Join(t.TempDir(), "never")
	store.gets = 0
	store.fail = func(op, _ string) error {
		if op != "get" {
			t.Errorf("a hit called %s", op)
		}
		return nil
	}
	if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.Flight.Dir); err == nil || store.gets != 1 || n != 1 {
		t.Errorf("lock directory made: %v; %d reads; %d mints", err == nil, store.gets, n)
	}
}

func TestNothingIsSharedBetweenKeys(t *testing.T) {
	c, _, _, _ := testCache(t)
	n := 0
	a, _ := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now))
	b, _ := c.Do(t.Context(), testRequest("readonly"), countingMint(&n, c.Now))
	if a.SessionToken == b.SessionToken || n != 2 {
		t.Errorf("%v and %v after %d mints", a, b, n)
	}
}

func TestMintedCredentialsAreDeliveredWhenTheStoreFails(t *testing.T) {
	c, store, _, warned := testCache(t)
	store.fail = func(op, _ string) error {
		if op == "put" {
			return errors.New("no space left on device")
		}
		return nil
	}
	n := 0
	creds, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now))
	if err != nil || creds.SessionToken != "token-1" {
		t.Fatalf("got %v, %v", creds, err)
	}
	if w := warned.list(); len(w) != 1 || !strings.Contains(w[0], "no space left") || !strings.Contains(w[0], `"admin"`) {
		t.Errorf("warned %q", w)
	}
}

func TestMintedCredentialsAreDeliveredWithoutLocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", filepath.Join(file, "locks")} {
		c, _, _, warned := testCache(t)
		c.Flight.Dir = dir
		n := 0
		for _, profile := range []string{"a", "b"} {
			if creds, err := c.Do(t.Context(), testRequest(profile), countingMint(&n, c.Now)); err != nil || creds.SessionToken == "" {
				t.Fatalf("got %v, %v", creds, err)
			}
		}
		release, err := c.Flight.Ask(t.Context(), "serial")
		if err != nil {
			t.Fatal(err)
		}
		release(nil)
		if w := warned.list(); len(w) != 1 || !strings.Contains(w[0], "could not lock") {
			t.Errorf("lock directory %q: warned %q", dir, w)
		}
	}
}

func TestDisabledNeitherReadsNorWrites(t *testing.T) {
	c, store, _, _ := testCache(t)
	n := 0
	if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
	c.Disabled = true
	store.fail = func(op, _ string) error { t.Errorf("disabled cache called %s", op); return nil }
	for want := 2; want < 4; want++ {
		if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil || n != want {
			t.Errorf("%d mints, %v", n, err)
		}
	}
	if _, ok, _ := c.Get(t.Context(), testRequest("admin")); ok {
		t.Error("a disabled cache served")
	}
	if err := c.Drop(t.Context(), testRequest("admin").Key); err != nil {
		t.Error(err)
	}
}

func TestCredentialsWithoutAnEndAreNotCached(t *testing.T) {
	c, store, _, warned := testCache(t)
	for range 2 {
		if creds, err := c.Do(t.Context(), testRequest("p"), func(context.Context) (Credentials, error) {
			return testCredentials(1, time.Time{}), nil
		}); err != nil || creds.AccessKeyID == "" {
			t.Fatal(creds, err)
		}
	}
	if len(store.items) != 0 || len(warned.list()) != 0 {
		t.Errorf("%d items, warned %q", len(store.items), warned.list())
	}
}

func TestDamagedEntriesAreMissesWithOneWarning(t *testing.T) {
	c, store, _, warned := testCache(t)
	req := testRequest("admin")
	good, err := encode(req.Key, withTimes(req.Info), testCredentials(9, testNow.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := encode(NewKey("other"), withTimes(req.Info), testCredentials(9, testNow.Add(time.Hour)))
	for name, data := range map[string]string{
		"null": "null", "empty object": "{}", "nothing": "", "array": "[]", "number": "1", "noise": "\x00\xff",
		"cut":              string(good[:len(good)/2]),
		"no key ID":        strings.Replace(string(good), "ASIA0000000000000009", "", 1),
		"odd key ID":       strings.Replace(string(good), "ASIA0000000000000009", "ASIA000000000000 09!", 1),
		"no secret":        strings.Replace(string(good), `"secret`+strings.Repeat("x", 34)+`"`, `""`, 1),
		"no token":         strings.Replace(string(good), `"token-9"`, `""`, 1),
		"other version":    strings.Replace(string(good), `"version":1`, `"version":2`, 1),
		"other kind":       strings.Replace(string(good), KindAssumedRole, "assumed", 1),
		"two expirations":  strings.Replace(string(good), "13:00:00", "14:00:00", 1),
		"never issued":     strings.Replace(string(good), "2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z", 1),
		"expired at birth": strings.ReplaceAll(string(good), "2026-03-01T13", "2025-03-01T13"),
		"swapped":          string(other),
	} {
		t.Run(name, func(t *testing.T) {
			store.items[string(req.Key)] = []byte(data)
			warned.all = nil
			n := 0
			creds, err := c.Do(t.Context(), req, countingMint(&n, c.Now))
			if err != nil || n != 1 || creds.SessionToken != "token-1" {
				t.Errorf("got %v, %v after %d mints", creds, err, n)
			}
			w := warned.list()
			if len(w) != 1 || !strings.Contains(w[0], `"admin"`) || strings.Contains(w[0], "secretx") || strings.Contains(w[0], "\n") {
				t.Errorf("warned %q", w)
			}
		})
	}
}

func TestStoreFailureIsAnErrorButDamageIsNot(t *testing.T) {
	c, store, _, warned := testCache(t)
	locked := errors.New("the vault is locked")
	n := 0
	store.fail = func(string, string) error { return locked }
	if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); !errors.Is(err, locked) || n != 0 {
		t.Errorf("got %v after %d mints", err, n)
	}
	store.fail = func(op, _ string) error {
		if op == "get" {
			return ErrDamaged
		}
		return nil
	}
	if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil || n != 1 || len(warned.list()) != 1 {
		t.Errorf("got %v after %d mints, warned %q", err, n, warned.list())
	}
}

func TestAsksIsAskedAtMostOnceAndOnlyWhenItDecides(t *testing.T) {
	c, _, clk, _ := testCache(t)
	n, asked := 0, 0
	req := testRequest("admin")
	if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
	answer := true
	req.Asks = func(context.Context) bool { asked++; return answer }
	for _, step := range []struct {
		left         time.Duration
		answer       bool
		asked, mints int
	}{
		{16 * time.Minute, true, 0, 1},
		{14 * time.Minute, true, 1, 1},
		{6 * time.Minute, true, 2, 1},
		{14 * time.Minute, false, 3, 2}, // minted: the entry is new again
	} {
		if n == 1 {
			clk.set(testNow.Add(time.Hour - step.left))
		}
		answer = step.answer
		if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil || asked != step.asked || n != step.mints {
			t.Errorf("%v left: asked %d, minted %d, %v", step.left, asked, n, err)
		}
	}
	clk.set(clk.now().Add(time.Hour - 4*time.Minute))
	if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil || asked != 3 || n != 3 {
		t.Errorf("4 min left: asked %d, minted %d, %v", asked, n, err)
	}
}

func TestDrop(t *testing.T) {
	c, store, _, _ := testCache(t)
	n := 0
	req := testRequest("admin")
	for want := 1; want < 3; want++ {
		if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil || n != want {
			t.Fatal(n, err)
		}
		for range 2 {
			if err := c.Drop(t.Context(), req.Key); err != nil {
				t.Error(err)
			}
		}
	}
	store.fail = func(string, string) error { return errors.New("read-only") }
	if err := c.Drop(t.Context(), req.Key); err == nil {
		t.Error("a failing removal is nil")
	}
}

func TestGoroutinesShareOneMint(t *testing.T) {
	c, _, _, _ := testCache(t)
	var mints atomic.Int32
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			<-start
			creds, err := c.Do(t.Context(), testRequest("admin"), func(context.Context) (Credentials, error) {
				return testCredentials(int(mints.Add(1)), testNow.Add(time.Hour)), nil
			})
			if err != nil || creds.SessionToken != "token-1" {
				t.Errorf("got %v, %v", creds, err)
			}
		})
	}
	close(start)
	wg.Wait()
	if mints.Load() != 1 {
		t.Errorf("%d mints", mints.Load())
	}
}

func withTimes(i Info) Info {
	i.Issued, i.Expiration = testNow, testNow.Add(time.Hour)
	return i
}

func TestAFailedRenewalMaySpareTheOldEntry(t *testing.T) {
	down, refused := errors.New("out of reach"), errors.New("access denied")
	for _, tt := range []struct {
		name   string
		left   time.Duration
		minTTL time.Duration
		err    error
		want   bool
	}{
		{"enough left", 14 * time.Minute, 0, down, true},
		{"just enough", 5*time.Minute + time.Second, 0, down, true},
		{"too little", 5 * time.Minute, 0, down, false},
		{"expired", -time.Minute, 0, down, false},
		{"another failure", 14 * time.Minute, 0, refused, false},
		{"a minimum was demanded", 14 * time.Minute, 15 * time.Minute, down, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, clk, warned := testCache(t)
			c.StaleOn = down
			n := 0
			if _, err := c.Do(t.Context(), testRequest("admin"), countingMint(&n, c.Now)); err != nil {
				t.Fatal(err)
			}
			clk.set(testNow.Add(time.Hour - tt.left))
			c.MinTTL = tt.minTTL
			creds, err := c.Do(t.Context(), testRequest("admin"), func(context.Context) (Credentials, error) {
				return Credentials{}, tt.err
			})
			w := warned.list()
			if tt.want && (err != nil || creds.SessionToken != "token-1" || len(w) != 1 || !strings.Contains(w[0], "out of reach")) {
				t.Errorf("got %v, %v, warned %q", creds, err, w)
			}
			if !tt.want && (!errors.Is(err, tt.err) || creds != (Credentials{}) || len(w) != 0) {
				t.Errorf("got %v, %v, warned %q", creds, err, w)
			}
		})
	}
}
