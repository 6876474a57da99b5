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
