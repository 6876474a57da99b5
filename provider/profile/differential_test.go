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
	"reflect"
	"slices"
	"strings"
	"testing"
)

// promised reports whether GROAT_TEST_CLIENTS names a client: then a missing
// one is a failure, else its test is skipped.
func promised(t *testing.T, client string) {
	t.Helper()
	clients := strings.FieldsFunc(os.Getenv("GROAT_TEST_CLIENTS"), func(r rune) bool { return r == ',' || r == ' ' })
	if !slices.Contains(clients, client) && !slices.Contains(clients, "all") {
		t.Skipf("GROAT_TEST_CLIENTS does not name %s", client)
	}
}

// sample is one config and credentials file.
type sample struct {
	Config      []byte `json:"config"` // base64 in JSON
	Credentials []byte `json:"credentials"`
}

// reading is what a config says: a value is a string or a map of strings.
type reading struct {
	Error    string         `json:"error,omitempty"`
	Profiles map[string]any `json:"profiles"`
	SSO      map[string]any `json:"sso_sessions"`
	Services map[string]any `json:"services"`
}

// ourReading is this package's reading in botocore's shape.
func ourReading(t *testing.T, s sample) (reading, []*Error) {
	c := load(t, string(s.Config), string(s.Credentials))
	r := reading{Profiles: map[string]any{}, SSO: map[string]any{}, Services: map[string]any{}}
	kinds := map[byte]map[string]any{'1': r.Profiles, '2': r.SSO, '3': r.Services}
	for id, values := range c.everything() {
		into := kinds[id[0]]
		if into == nil {
			continue // a section that is neither
		}
		keys := make(map[string]any)
		for k, v := range values {
			if strings.HasPrefix(v, "\n") {
				m := make(map[string]any)
				for nk, nv := range nested(v) {
					m[nk] = nv
				}
				keys[k] = m
			} else {
				keys[k] = v
			}
		}
		into[id[1:]] = keys
	}
	return r, c.Problems()
}

// TestAgainstBotocore compares this parser with botocore's on collected and
// generated configs. botocore with the deviations of docs/configuration.md
// switched on must agree everywhere; botocore as it is must agree wherever
// none of the deviations makes a difference.
func TestAgainstBotocore(t *testing.T) {
	promised(t, "botocore")
	samples := collectedSamples(t)
	collected := len(samples)
	samples = append(samples, generatedSamples(2400)...)
	var in bytes.Buffer
	encoder := json.NewEncoder(&in)
	for _, s := range samples {
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	python := exec.Command("python3", filepath.Join("testdata", "botocore_reference.py"))
	python.Stdin, python.Stderr = &in, os.Stderr
	out, err := python.Output()
	if err != nil {
		t.Fatalf("python3 with botocore: %v", err)
	}
	because := make(map[string]int)
	refused, same, failures := 0, 0, 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	i := 0
	for ; lines.Scan(); i++ {
		var answer struct {
			Botocore, Deviating reading
			Because             []string
		}
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		ours, problems := ourReading(t, samples[i])
		if answer.Deviating.Error == "" && answer.Deviating.Services == nil {
			ours.Services = nil // an old botocore
		}
		fail := func(what string, want any) {
			if failures++; failures <= 5 {
				t.Errorf("sample %d: %s\nconfig %q\ncredentials %q\nours %v\nproblems %v\nwant %v\nbecause %v", i, what, samples[i].Config, samples[i].Credentials, ours, problems, want, answer.Because)
			}
		}
		for _, d := range answer.Because {
			because[d]++
		}
		switch {
		case answer.Deviating.Error != "":
			refused++
			if len(problems) == 0 {
				fail("botocore refuses ("+answer.Deviating.Error+") what we read", answer.Deviating)
			}
		case len(problems) > 0:
			fail("we refuse what botocore reads", answer.Deviating)
		case !reflect.DeepEqual(ours, answer.Deviating):
			fail("differs from botocore with the deviations", answer.Deviating)
		}
		if len(answer.Because) == 0 {
			if !reflect.DeepEqual(answer.Botocore, answer.Deviating) && (answer.Botocore.Error == "" || answer.Deviating.Error == "") {
				fail("differs from botocore for no listed reason", answer.Botocore)
			}
			same++
		}
	}
	if i != len(samples) {
		t.Fatalf("%d answers for %d samples", i, len(samples))
	}
	t.Logf("%d collected and %d generated configs: %d read exactly as botocore, %d refused by both; deviations at work: %v; %d failures",
		collected, len(samples)-collected, same, refused, because, failures)
	if same < 800 || refused < 100 || len(because) < 7 {
		t.Error("the samples do not exercise the parser")
	}
}

// collectedSamples are the hand-collected shapes of testdata/configs: each
// file is a config; what follows a line of “==== credentials” is its
// credentials file.
func collectedSamples(t *testing.T) []sample {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "configs", "*.ini"))
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d collected configs, %v", len(paths), err)
	}
	var all []sample
	for _, path := range paths {
		config, credentials, _ := strings.Cut(readFile(t, path), "==== credentials\n")
		all = append(all, sample{[]byte(config), []byte(credentials)})
		crlf := strings.NewReplacer("\n", "\r\n")
		all = append(all, sample{[]byte(crlf.Replace(config)), []byte(crlf.Replace(credentials))})
	}
	return all
}

// generatedSamples makes n configs, always the same ones: well-formed files
// of every shape first, then lines thrown together.
func generatedSamples(n int) []sample {
	g := &generator{rand.New(rand.NewPCG(1348, 2189))}
	all := make([]sample, n)
	for i := range all {
		if i%3 == 2 {
			all[i] = sample{[]byte(g.soup()), nil}
			if g.one(4) {
				all[i].Credentials = []byte(g.soup())
			}
			continue
		}
		all[i] = sample{[]byte(g.file(false)), []byte(g.file(true))}
	}
	return all
}

type generator struct{ *rand.Rand }

func (g *generator) one(in int) bool { return g.IntN(in) == 0 }

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

var sampleNames = []string{"default", "dev", "prod", "a", "ops-admin", "team/one", "a.b", "ünï", "x@y", "with:colon", "UPPER", "1"}

// file writes a config as people do.
func (g *generator) file(credentials bool) string {
	if g.one(10) {
		return ""
	}
	var b strings.Builder
	end := g.pick("\n", "\n", "\n", "\r\n", "\r")
	if g.one(25) {
		b.WriteString(byteOrderMark)
	}
	names := slices.Clone(sampleNames)
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i := range g.IntN(6) {
		b.WriteString(g.pick("", "", end, "# a comment"+end, "  ; another"+end, "#x=y"+end))
		name := names[i]
		if g.one(20) {
			name = "dev" // perhaps a second time
		}
		b.WriteString(g.header(name, credentials) + end)
		g.keys(&b, end)
	}
	return b.String()
}

func (g *generator) header(name string, credentials bool) string {
	text := name
	if !credentials && (name != "default" || g.one(8)) {
		text = g.pick("profile ", "profile ", "profile ", "profile ", "profile  ", "profile\t", "sso-session ", "services ", "", "profilex ", "PROFILE ") +
			g.pick(name, name, name, name, `"`+name+`"`, "'"+name+"'", `"`+name+` two"`, name+" two", name+`\ x`, `"`+name)
	}
	if g.one(20) {
		text = " " + text + g.pick("", " ", "\t")
	}
	return g.pick("", "", "", "", "", "", "", "", "", " ") + "[" + text + "]" + g.pick("", "", "", "", "", " ", " # why", "tail", " ]", "\t; x")
}

var sampleKeys = []string{"region", "output", "role_arn", "source_profile", "mfa_serial", "credential_process", "s3", "sts", "sso_start_url", "Region", "session_tags", "endpoint_url", "a key", "x"}

func (g *generator) keys(b *strings.Builder, end string) {
	keys := slices.Clone(sampleKeys)
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	indent := g.pick("", "", "", "", "  ")
	for i := range g.IntN(5) {
		key := keys[i]
		if strings.EqualFold(key, "region") && !g.one(4) {
			key = "output" // else half of the samples have the key twice
		}
		b.WriteString(indent + key + g.pick("=", " = ", " = ", ":", " : ", "= ", "\t=\t"))
		switch g.IntN(10) {
		case 0: // nested
			for range g.IntN(3) + 1 {
				b.WriteString(end + g.pick("", "", end) + indent + "  " + g.pick("endpoint_url = http://x", "A=1", "max = 2 # c", "b = c = d"))
			}
		case 1: // continued
			b.WriteString("first" + end + indent + g.pick("  ", "\t ", "    ") + g.pick("second", "k = v", "[x]", "# c", "a ; b"))
		case 2: // empty
		default:
			b.WriteString(g.pick("eu-west-1", "arn:aws:iam::123456789012:role/x", `"quoted"`, "a#b", "a;b", "a # b", "a\t; b", "x=y", "%(x)s", "${HOME}", "/bin/x --y 'z w'", "ünï", "#x"))
		}
		b.WriteString(g.pick("", "", "", " ") + end)
	}
}

// soup throws lines together, most of which mean something somewhere.
func (g *generator) soup() string {
	var b strings.Builder
	for range g.IntN(12) {
		b.WriteString(g.pick("", "", "", " ", "  ", "\t", "\u00a0"))
		b.WriteString(g.pick(
			"[default]", "[profile a]", "[profile b]", "[ profile c ]", "[services s]", "[sso-session o]", "[DEFAULT]", "[]", "[ ]", "[x", "[profile a = b", "[profile d]]",
			"k = v", "k=", "l : w", "=v", "word", "m = [n]", "# c", ";", "", "", "k", "k = v # c", "nested =", "a = b", "c=d=e", "s3 =", "p\x0bq = r", "\x85", "\x0c", "t = \x1cu\x1c",
			"n = \xff", "# \xff", "N = 1", "no = 2 ;x", "http://x:1/y",
		))
		b.WriteString(g.pick("\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n", "", " \n", fmt.Sprintf("%d\n", g.IntN(3))))
	}
	return b.String()
}
