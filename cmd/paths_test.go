package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The home folder is HOME's, else the one in the system's record, which is
// then named; without either only what needs none is had.
func TestHomeFolder(t *testing.T) {
	needPOSIX(t)
	everywhere := map[string]string{"XDG_CONFIG_HOME": "/x", "XDG_DATA_HOME": "/x", "XDG_STATE_HOME": "/x", "AWS_CONFIG_FILE": "/c", "AWS_SHARED_CREDENTIALS_FILE": "/k"}
	for name, c := range map[string]struct {
		environ        map[string]string
		recorded, home string
		named, fails   bool
	}{
		"HOME":                   {map[string]string{"HOME": "/h"}, "/r", "/h", false, false},
		"a service's":            {map[string]string{"HOME": "/dev/null"}, "/r", "/dev/null", false, false},
		"recorded":               {nil, "/r", "/r", true, false},
		"nowhere":                {nil, "", "", false, true},
		"of users that are none": {nil, "/", "", false, true},
		"not needed":             {everywhere, "", "", false, false},
	} {
		p := newPaths(func(name string) string { return c.environ[name] }, func() string { return c.recorded })
		if p.home != c.home || (p.homeNote != "") != c.named || c.named && !strings.Contains(p.homeNote, "HOME is not set") || (p.homeless != nil) != c.fails {
			t.Errorf("%s: %+v", name, p)
		}
		a := newApp(nil, Streams{})
		*a.paths, *a.settings = p, settings{lookup: a.lookupEnv, path: filepath.Join(t.TempDir(), "none"), homeless: p.homeless, from: map[string]string{}}
		for _, words := range [][]string{{"credential-process", "p"}, {"list"}} {
			short := a.shortcut(words)
			_, err := a.parse(words)
			if (err != nil) != c.fails || c.fails && (short != nil || exitCode(t.Context(), err) != exitConfig) {
				t.Errorf("%s, %v: %v", name, words, err)
			}
		}
	}
}

// What stands where the AWS config should be, or does not, is said; HOME=/dev/null is meant.
func TestNoConfigIsSaid(t *testing.T) {
	needPOSIX(t)
	home, state := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(home, ".aws"), "[default]\n")
	elsewhere := []string{"GROAT_BACKEND=file", "XDG_STATE_HOME=" + state, "XDG_DATA_HOME=" + state, "XDG_CONFIG_HOME=" + state}
	for name, c := range map[string]struct {
		environ    []string
		says, hint string
	}{
		"a file":  {[]string{"HOME=" + home}, home + `/.aws is a file, but should be the folder of config, so there is no profile "p"`, "mv " + home + "/.aws "},
		"nothing": {[]string{"HOME=" + state, "AWS_CONFIG_FILE=/no/such"}, `AWS_CONFIG_FILE names /no/such, which does not exist, so there is no profile "p"`, "unset it"},
		"null":    {[]string{"HOME=" + os.DevNull}, `unknown profile "p"`, "groat list"},
		"no HOME": {[]string{"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}, `unknown profile "p"`, "note: HOME is not set, so the home folder in the system's record of users is used: /"},
	} {
		r := runMain(t, append(c.environ, elsewhere...), "", "credential-process", "p")
		if r.code != exitConfig || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, c.hint) {
			t.Errorf("%s: exit code %d, %s", name, r.code, r.stderr)
		}
	}
	if r := runMain(t, append(elsewhere, "HOME="+state, "AWS_CONFIG_FILE=/no/such"), "", "list"); r.code != 0 || !strings.Contains(r.stderr, "names /no/such") {
		t.Errorf("list: exit code %d, %s", r.code, r.stderr)
	}
}
