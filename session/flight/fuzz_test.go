package flight

import (
	"encoding/json"
	"strings"
	"testing"
)

// A lock file may hold anything; what was written comes back, or nothing.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("no record"), "process 1, profile \"p\"", "cancelled")
	f.Add([]byte{}, "\x1b[31m\n\xff", strings.Repeat("\u2028<&>", 400))
	f.Fuzz(func(t *testing.T, noise []byte, holder, code string) {
		parseRecord(noise)
		r := record{PID: 12, Started: "34", Holder: holder, Done: 5, Code: code}
		buf, err := formatRecord(r)
		if err != nil || len(buf) != recordSize {
			t.Fatalf("%d bytes, %v", len(buf), err)
		}
		got := parseRecord(buf)
		if got.PID != 12 || got.Done != 5 || strings.ContainsAny(got.Holder, "\n\x1b") {
			t.Fatalf("got %+v", got)
		}
		if i := len(noise); i > 0 && i < recordSize {
			copy(buf, noise) // half overwritten
			if r := parseRecord(buf); r != got && r != (record{}) && !json.Valid(noise) {
				t.Fatalf("believed a torn record: %+v", r)
			}
		}
	})
}
