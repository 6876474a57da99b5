package profile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// endpointCase is a config of profile p and an environment.
type endpointCase struct {
	Config  string            `json:"config"`
	Environ map[string]string `json:"environ"`
}

// TestEndpointsAgainstBotocore compares where calls go, over services
// sections, endpoint_url, the variables and the switch that ignores them all.
func TestEndpointsAgainstBotocore(t *testing.T) {
	promised(t, "botocore")
	g := rand.New(rand.NewPCG(1, 9045))
	cases := make([]endpointCase, 800)
	var in bytes.Buffer
	for i := range cases {
		cases[i] = generateEndpoints(g)
		if err := json.NewEncoder(&in).Encode(cases[i]); err != nil {
			t.Fatal(err)
		}
	}
	python := exec.Command("python3", filepath.Join("testdata", "botocore_endpoints.py"))
	python.Stdin, python.Stderr = &in, os.Stderr
	out, err := python.Output()
	if err != nil {
		t.Fatalf("python3 with botocore: %v", err)
	}
	if strings.TrimSpace(string(out)) == "old" {
		t.Skip("this botocore is too old for services sections")
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	configured, i := 0, 0
	for ; lines.Scan(); i++ {
		var want map[string]any
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		r := mustResolve(t, load(t, cases[i].Config, ""), "p", ResolveOptions{Getenv: func(name string) string { return cases[i].Environ[name] }})
		e := r.Source.Endpoints
		got := map[string]string{"use_fips_endpoint": fmt.Sprint(e.FIPS), "use_dualstack_endpoint": fmt.Sprint(e.DualStack), "ca_bundle": e.CABundle}
		for _, service := range endpointServices {
			got[service] = e.For(service)
		}
		for key, ours := range got {
			theirs := ""
			if want[key] != nil {
				theirs = fmt.Sprint(want[key])
			}
			if key != "ca_bundle" && want[key] == nil && ours == "false" {
				theirs = "false" // unset, which botocore takes for false
			}
			if ours != theirs {
				t.Fatalf("%s: ours %q, botocore's %q\nconfig\n%s\nenvironment %v", key, ours, theirs, cases[i].Config, cases[i].Environ)
			}
			if theirs != "" && theirs != "false" {
				configured++
			}
		}
	}
	if i != len(cases) || configured < len(cases) {
		t.Errorf("%d answers, %d settings in them", i, configured)
	}
	t.Logf("%d cases alike, %d settings in them", i, configured)
}

func generateEndpoints(g *rand.Rand) endpointCase {
	one := func(in int) bool { return g.IntN(in) == 0 }
	url := func(what string) string { return fmt.Sprintf("http://%s-%d.test", what, g.IntN(9)) }
	boolean := func() string { return []string{"true", "TRUE", "false", "yes", "1"}[g.IntN(5)] }
	var b strings.Builder
	c := endpointCase{Environ: map[string]string{}}
	b.WriteString("[services s]\nother =\n  endpoint_url = http://other.test\n")
	for _, service := range endpointServices {
		if one(2) {
			fmt.Fprintf(&b, "%s =\n  endpoint_url = %s\n", service, url(service))
		}
		if one(6) {
			c.Environ["AWS_ENDPOINT_URL_"+strings.ToUpper(service)] = url("env-" + service)
		}
	}
	b.WriteString("[profile p]\noutput = json\n")
	if one(2) {
		b.WriteString("services = s\n")
	}
	if one(2) {
		b.WriteString("endpoint_url = " + url("profile") + "\n")
	}
	if one(6) {
		c.Environ["AWS_ENDPOINT_URL"] = url("env")
	}
	for _, pair := range [][2]string{
		{"ignore_configured_endpoint_urls", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
		{"use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT"}, {"use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT"},
	} {
		key, variable := pair[0], pair[1]
		if one(6) {
			b.WriteString(key + " = " + boolean() + "\n")
		}
		if one(8) {
			c.Environ[variable] = boolean()
		}
	}
	if one(4) {
		b.WriteString("ca_bundle = /profile.pem\n")
	}
	if one(4) {
		c.Environ["AWS_CA_BUNDLE"] = "/env.pem"
	}
	c.Config = b.String()
	return c
}
