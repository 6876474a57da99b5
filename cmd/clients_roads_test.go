package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var sdks = []string{"awscli", "boto3", "go", "js"}

// The endpoints that `groat exec` serves are read by every client: as ECS
// serves them, with the token in the environment or in a file, and as EC2 does.
func TestClientsThroughServers(t *testing.T) {
	t.Parallel()
	for _, name := range sdks {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			w.env = slices.DeleteFunc(w.env, func(e string) bool { return strings.HasPrefix(e, "AWS_EC2_METADATA_DISABLED=") })
			line := clientLine(t, w, name)
			mint := []string{getSessionToken, assumeRole}
			for _, flags := range [][]string{{"--server"}, {"--server", "--token-file"}, {"--imds"}} {
				if len(flags) == 2 && !knowsTokenFiles(w, name, line[0]) {
					continue
				}
				r := w.command("", "groat", slices.Concat([]string{"exec", "admin"}, flags, []string{"--"}, line)...)
				w.is(r, adminARN)
				w.calls(append(mint, getCallerIdentity)...)
				mint = nil // the cache serves from now on
			}
		})
	}
}

// knowsTokenFiles says whether a client knows the container authorization
// token file; botocore does since 1.31.54.
func knowsTokenFiles(w *clientWorld, name, path string) bool {
	switch name {
	case "awscli":
		return !strings.Contains(w.must(w.command("", path, "--version")), "aws-cli/2.9")
	case "boto3":
		return w.must(w.command("", path, "-c", "import botocore.utils as u; print('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' in open(__import__('botocore.credentials').credentials.__file__).read())")) == "True"
	}
	return true
}

// A program whose path has a blank is quoted in the line that `groat
// configure` writes, in a way that every client reads.
func TestClientsRunAPathWithABlank(t *testing.T) {
	t.Parallel()
	for _, name := range sdks {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			dir := w.path("my tools")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			binary, err := os.ReadFile(groatBinary(t))
			if err != nil {
				t.Fatal(err)
			}
			moved := filepath.Join(dir, "groat")
			if err := os.WriteFile(moved, binary, 0o755); err != nil {
				t.Fatal(err)
			}
			r := w.command("", moved, "configure", "admin")
			w.must(r)
			if !strings.Contains(r.stderr, "has a blank") {
				t.Errorf("no word about the blank: %s", r.stderr)
			}
			if config := w.read("config"); !strings.Contains(config, `"`+moved+`" credential-process`) {
				t.Fatalf("another line:\n%s", config)
			}
			line := clientLine(t, w, name)
			w.is(w.commandWith([]string{"AWS_PROFILE=admin"}, "", line[0], line[1:]...), adminARN)
			w.calls(getSessionToken, assumeRole, getCallerIdentity)
		})
	}
}
