package cmd

import (
	"bytes"
	"os"
	"testing"
)

// FuzzLog: every line of the log is read or counted, and what is shown of it
// steers no terminal.
func FuzzLog(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","profile":"a","command":"exec","result":"minted","role_arn":null,"session_name":null,"access_key_id":"ASIAX","expiration":null,"caller":"/bin/sh","agent":"claude"}` + "\n{\"time\":"))
	f.Add([]byte("null\n[]\n{}\n\n\x1b[2J\n{\"profile\":\"\\u001b[2J\"}"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		l := requestLog{dir, maxLog}
		if err := os.WriteFile(l.path(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, damaged, err := l.read()
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(data, []byte("\n"))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		if len(entries)+damaged != lines {
			t.Errorf("%d entries and %d damaged of %d lines", len(entries), damaged, lines)
		}
		var out bytes.Buffer
		if err := writeLines(newApp(nil, Streams{Out: &out}), entries); err != nil || bytes.ContainsAny(out.Bytes(), "\x1b\r\u009b") || bytes.Count(out.Bytes(), []byte("\n")) != len(entries) {
			t.Errorf("shown as %q, %v", out.Bytes(), err)
		}
	})
}
