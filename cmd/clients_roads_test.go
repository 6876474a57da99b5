package cmd

import (
	"slices"
	"strings"
	"testing"
)

var sdks = []string{"awscli", "boto3", "go", "js"}

// The endpoints that `groat exec` serves are read by every client: as ECS
// serves them, with the token in the environment or in a file, and as EC2 does.
func TestClientsThroughServers(t *testing.T) {
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
