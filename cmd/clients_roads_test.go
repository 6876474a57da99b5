package cmd

import (
	"os"
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
				if name == "awscli" && len(flags) == 2 && !newerThanTokenFiles(w, line[0]) {
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

// newerThanTokenFiles says whether an AWS CLI knows the container
// authorization token file (botocore 1.31, of mid-2023).
func newerThanTokenFiles(w *clientWorld, aws string) bool {
	return !strings.Contains(w.must(w.command("", aws, "--version")), "aws-cli/2.9")
}

// After `groat configure` the role's own name works in every client, and
// undoing gives the file back byte for byte.
func TestClientsAfterConfigure(t *testing.T) {
	for _, name := range sdks {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			before, err := os.ReadFile(w.path("config"))
			if err != nil {
				t.Fatal(err)
			}
			w.must(w.command("", "groat", "configure", "readonly", "admin"))
			line := clientLine(t, w, name)
			as := func(profile string) ran {
				return w.commandWith([]string{"AWS_PROFILE=" + profile}, "", line[0], line[1:]...)
			}
			w.is(as("admin"), adminARN)
			w.is(as("readonly"), readonlyARN)
			w.calls(getSessionToken, assumeRole, getCallerIdentity, assumeRole, getCallerIdentity)
			w.is(w.command("", "groat", slices.Concat([]string{"exec", "readonly", "--"}, line)...), readonlyARN)
			w.calls(getCallerIdentity)
			w.must(w.command("", "groat", "configure", "--undo", "readonly", "admin"))
			after, err := os.ReadFile(w.path("config"))
			if err != nil {
				t.Fatal(err)
			}
			if string(after) != string(before) {
				t.Errorf("undone, the file is\n%s\nand was\n%s", after, before)
			}
		})
	}
}
