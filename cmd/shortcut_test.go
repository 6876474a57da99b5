package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Whatever the settings: where the shortcut is taken, it parses what the
// command line parser parses.
func TestShortcutIsTheSameParse(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	values := map[string][]string{
		"backend": {"file", "auto", "keyctl", "nonsense", ""}, "prompt": {"terminal", "none", "tty"},
		"no-input": {"true", "false", "1", "0", "yes", "T", "maybe"}, "debug": {"true", "0"},
		"session-ttl": {"1h", "900", "900s", "-1h", "x", "1.5s"}, "assume-role-ttl": {"2h", "0"}, "min-ttl": {"10m"},
		"file-dir": {"/x y", "~/${z}", "a,b"}, "pass-prefix": {"p"}, "kwallet-folder": {"f"}, "keyctl-scope": {"user"},
		"secret-service-collection": {"c"}, "unlock-for": {"0", "1h"}, "file-passphrase-command": {"echo 'a b' \"c\""},
		"destination": {"x"}, "misspelt": {"x"}, "agent": {"deny", "perhaps"},
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	lines := [][]string{
		{"credential-process", "admin"}, {"export", "admin"}, {"export"}, {"exec", "--", "true"}, {"exec", "admin", "--", "echo", "-t", "", "--", "1"}, {"exec", "admin", "--"},
	}
	taken, left := 0, 0
	for range 400 {
		var environ, file []string
		for range r.IntN(4) {
			name := names[r.IntN(len(names))]
			value := values[name][r.IntN(len(values[name]))]
			if r.IntN(2) == 0 {
				environ = append(environ, "GROAT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
				continue
			}
			if r.IntN(2) == 0 {
				name = strings.ReplaceAll(name, "-", "_")
			}
			if value != "true" && value != "900" || r.IntN(2) == 0 {
				value = fmt.Sprintf("%q", value)
			}
			file = append(file, fmt.Sprintf("%q:%s", name, value))
		}
		home := t.TempDir()
		if len(file) > 0 {
			dir := filepath.Join(home, ".config", "groat")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"+strings.Join(file, ",")+"}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		environ = append(environ, "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"))
		words := lines[r.IntN(len(lines))]
		short, long := newApp(environ, Streams{}), newApp(environ, Streams{})
		command := short.shortcut(words)
		if command == nil {
			left++
			if len(short.settings.from) > 0 {
				t.Fatalf("places are left over: %v", short.settings.from)
			}
			continue
		}
		taken++
		other, err := long.parse(words)
		if err != nil {
			t.Fatalf("%q %q: the parser says %v", environ, file, err)
		}
		if !reflect.DeepEqual(command, other) || !reflect.DeepEqual(short.cli.globals, long.cli.globals) || !reflect.DeepEqual(short.settings.from, long.settings.from) {
			t.Fatalf("%q %q:\n%+v %v\n%+v %v", environ, file, short.cli.globals, short.settings.from, long.cli.globals, long.settings.from)
		}
	}
	if taken < 60 || left < 60 {
		t.Errorf("taken %d times, left %d times", taken, left)
	}
}

func TestShortcutIsForPlainWordsOnly(t *testing.T) {
	for _, words := range [][]string{
		nil, {"credential-process"}, {"credential-process", ""}, {"credential-process", "--help"}, {"credential-process", "-h"},
		{"credential-process", "a", "b"}, {"credential-process", "--", "admin"}, {"--debug", "credential-process", "a"},
		{"exec"}, {"exec", "admin"}, {"exec", "admin", "true"}, {"exec", "-s", "--", "true"}, {"exec", "", "--", "true"}, {"exec", "a", "true", "--", "b"},
		{"export", "-h"}, {"export", ""}, {"export", "a", "b"}, {"export", "--", "a"}, {"--version", "exec"}, {"--", "version"}, {"list"},
	} {
		if newApp(nil, Streams{}).shortcut(words) != nil {
			t.Errorf("%q is taken", words)
		}
	}
	for _, words := range [][]string{{"credential-process", "admin"}, {"export"}, {"export", "a"}, {"exec", "--", "true"}, {"exec", "a", "--"}, {"--version"}, {"version"}} {
		if newApp(nil, Streams{}).shortcut(words) == nil {
			t.Errorf("%q is not taken", words)
		}
	}
}
