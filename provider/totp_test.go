package provider

import (
	"encoding/base32"
	"testing"
	"time"
)

// RFC 6238, appendix B, the SHA-1 rows; six digits are the last six of eight.
func TestTOTPVectors(t *testing.T) {
	seed := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{
		59:          "287082",
		1111111109:  "081804",
		1111111111:  "050471",
		1234567890:  "005924",
		2000000000:  "279037",
		20000000000: "353130",
	} {
		code, step, err := TOTP(seed, time.Unix(at, 0))
		if err != nil || code != want || step != at/30 {
			t.Errorf("at %d: %s, step %d, %v; want %s", at, code, step, err, want)
		}
	}
	if _, _, err := TOTP("not base32!", time.Unix(59, 0)); err == nil {
		t.Error("nonsense has a code")
	}
}

func TestUntilNextCode(t *testing.T) {
	for at, want := range map[int64]time.Duration{0: 30 * time.Second, 29: time.Second, 30: 30 * time.Second, 59: time.Second} {
		if got := UntilNextCode(time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %v, want %v", at, got, want)
		}
	}
}
