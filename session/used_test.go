package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUsedCodes(t *testing.T) {
	c, _, clk, warned := testCache(t)
	const me, you = "arn:aws:iam::123456789012:mfa/me", "arn:aws:iam::123456789012:mfa/you"
	step := testNow.Unix() / 30
	for _, tt := range []struct {
		name         string
		serial, code string
		step         int64
		later        time.Duration
		want         bool
	}{
		{"typed", me, "111111", 0, 0, true},
		{"typed again", me, "111111", 0, 0, false},
		{"and again", me, "111111", 0, time.Minute, false},
		{"another code", me, "222222", 0, 0, true},
		{"another device", you, "111111", 0, 0, true},
		{"generated", me, "333333", step + 2, 0, true},
		{"generated in the same step", me, "333333", step + 2, 0, false},
		{"generated in an earlier step", me, "444444", step + 1, 0, false},
		{"generated, typed now", me, "333333", 0, 0, false},
		{"typed, generated now", me, "222222", step + 3, 0, false},
		{"next step", me, "555555", step + 4, 0, true},
		{"other device in that step", you, "555555", step + 4, 0, true},
		{"generated, clock put back a little", me, "666666", step + 3, 60 * time.Second, false},
		{"generated, clock put right", me, "777777", step + 1, -2 * time.Minute, true},
		{"the same digits long after", me, "111111", 0, 2 * time.Hour, true},
	} {
		clk.set(clk.now().Add(tt.later))
		got, err := c.UsedCodes().Use(t.Context(), tt.serial, tt.code, tt.step)
		if got != tt.want || err != nil {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	if len(warned.list()) != 0 {
		t.Errorf("warned %q", warned.list())
	}
	data, err := os.ReadFile(c.UsedCodes().Path)
	if err != nil || strings.Contains(string(data), "111111") || strings.Contains(string(data), "mfa/") {
		t.Errorf("the file holds %s, %v", data, err)
	}
}

func TestForgetTakesBack(t *testing.T) {
	c, _, _, _ := testCache(t)
	u := c.UsedCodes()
	if err := u.Forget(t.Context(), "serial", "111111", 7); err != nil {
		t.Error(err)
	}
	for _, step := range []int64{0, testNow.Unix() / 30} {
		for range 2 {
			if fresh, err := u.Use(t.Context(), "serial", "111111", step); !fresh || err != nil {
				t.Errorf("step %d: %v, %v", step, fresh, err)
			}
			if err := u.Forget(t.Context(), "serial", "111111", step); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestUsedCodesSurviveDamageAndClockJumps(t *testing.T) {
	c, _, clk, warned := testCache(t)
	u := c.UsedCodes()
	use := func(code string, step int64) bool {
		t.Helper()
		fresh, err := u.Use(t.Context(), "serial", code, step)
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	for _, damage := range []string{"", "null", "[]", `{"x":null}`, `{"x":{"codes":null}}`, "\xff"} {
		if err := os.MkdirAll(filepath.Dir(u.Path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(u.Path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if !use("111111", 0) || use("111111", 0) {
			t.Errorf("after damage %q", damage)
		}
	}
	clk.set(testNow.Add(1000 * time.Hour)) // the clock is wrong for one code …
	if !use("222222", clk.now().Unix()/30) {
		t.Error("generated under a wrong clock")
	}
	clk.set(testNow) // … and right again
	if !use("333333", testNow.Unix()/30) {
		t.Error("a step of the future refuses all others")
	}
	if len(warned.list()) != 0 {
		t.Errorf("warned %q", warned.list())
	}
}

func TestUsedCodesWithoutAPlaceWarn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file} {
		c, _, _, warned := testCache(t)
		c.Flight.Dir = dir
		if fresh, err := c.UsedCodes().Use(t.Context(), "serial", "111111", 0); !fresh || err != nil {
			t.Error(fresh, err)
		}
		if w := warned.list(); len(w) != 1 || strings.Contains(w[0], "111111") {
			t.Errorf("warned %q", w)
		}
	}
	c, _, _, warned := testCache(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.UsedCodes().Use(ctx, "serial", "111111", 0); !errors.Is(err, context.Canceled) || len(warned.list()) != 0 {
		t.Errorf("%v, warned %q", err, warned.list())
	}
}

// On a full disk no second file can be made; the first one takes the mark.
func TestUsedCodesInPlace(t *testing.T) {
	c, _, _, warned := testCache(t)
	u := c.UsedCodes()
	use := func(code string) bool {
		fresh, err := u.Use(t.Context(), "serial", code, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if !use("111111") {
		t.Fatal("the first code was used")
	}
	if err := os.MkdirAll(filepath.Join(u.Path+".tmp", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !use("222222") || use("222222") || use("111111") {
		t.Error("what was used is not remembered")
	}
	if len(warned.list()) != 0 {
		t.Errorf("warned %q", warned.list())
	}
}
