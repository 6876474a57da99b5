package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func configureOptions(keys ...string) ConfigureOptions {
	return ConfigureOptions{
		Line:        func(name string) (string, error) { return `"/opt/groat" credential-process ` + name, nil },
		SelfProfile: selfGroat,
		HoldsKey:    holding(keys...),
	}
}

func configure(t testing.TB, text, name string, keys ...string) (*Document, *Undo, error) {
	t.Helper()
	d := NewDocument("config", text, false)
	u, err := Configure(load(t, text, ""), d, name, configureOptions(keys...))
	return d, u, err
}

func TestConfigure(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role/r"
	cases := []struct{ name, text, profile, want string }{
		{
			"a role", "[default]\nregion = x\n\n[profile ro]\n# mine\nrole_arn = " + arn + " # why\nregion = y\nsource_profile = default\noutput = json\n\n[profile other]\n", "ro",
			"[default]\nregion = x\n\n[profile ro]\n# mine\nregion = y\noutput = json\ncredential_process = \"/opt/groat\" credential-process ro-groat\n" +
				"\n[profile ro-groat]\nrole_arn = " + arn + " # why\nregion = y\nsource_profile = default\n\n[profile other]\n",
		},
		{
			"a role whose region is its source's", "[default]\nregion = x\n[profile ro]\nrole_arn=" + arn + "\nsource_profile=default\n", "ro",
			"[default]\nregion = x\n[profile ro]\nregion=x\ncredential_process=\"/opt/groat\" credential-process ro-groat\n\n[profile ro-groat]\nrole_arn=" + arn + "\nsource_profile=default\n",
		},
		{
			"a key that includes its region", "[profile common]\nregion = x\nmfa_serial = s\n[profile k]\ninclude_profile = common\n", "k",
			"[profile common]\nregion = x\nmfa_serial = s\n[profile k]\ninclude_profile = common\nregion = x\ncredential_process = \"/opt/groat\" credential-process k\n",
		},
		{
			"a key", "[default]\nregion=x\nmfa_serial=s\n", "default",
			"[default]\nregion=x\nmfa_serial=s\ncredential_process=\"/opt/groat\" credential-process default\n",
		},
		{"a key without a section", "", "k", "[profile k]\ncredential_process = \"/opt/groat\" credential-process k\n"},
		{
			"CRLF, no final line end", "[profile ro]\r\nrole_arn=" + arn + "\r\nsource_profile=k", "ro",
			"[profile ro]\r\ncredential_process=\"/opt/groat\" credential-process ro-groat\r\n\r\n[profile ro-groat]\r\nrole_arn=" + arn + "\r\nsource_profile=k\r\n",
		},
		{
			"IAM Identity Center", "[sso-session corp]\nsso_start_url = u\nsso_region = r\n[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\nregion = y", "dev",
			"[sso-session corp]\nsso_start_url = u\nsso_region = r\n[profile dev]\nregion = y\ncredential_process = \"/opt/groat\" credential-process dev-groat\n\n[profile dev-groat]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\nregion = y\n",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d, u, err := configure(t, tc.text, tc.profile, "default", "k")
			if err != nil {
				t.Fatal(err)
			}
			if d.Text() != tc.want {
				t.Errorf("got\n%q, want\n%q", d.Text(), tc.want)
			}
			if again, err := Configure(load(t, d.Text(), ""), d, tc.profile, configureOptions("default", "k")); again != nil || err != nil || d.Text() != tc.want {
				t.Errorf("a second time: %v, %v, %q", again, err, d.Text())
			}
			note, err := Unconfigure(d, tc.profile, u, configureOptions())
			if err != nil || note != "" || d.Text() != tc.text {
				t.Errorf("undone\n%q, want\n%q (%v, %s)", d.Text(), tc.text, err, note)
			}
		})
	}
}

// What is configured resolves as before, under both names.
func TestConfiguredResolvesAlike(t *testing.T) {
	d, _, err := configure(t, teamConfig+"region = us-gov-west-1\nduration_seconds = 7200\nendpoint_url = http://x\n", "admin", "default")
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, d.Text(), "")
	typed := mustResolve(t, c, "admin", ResolveOptions{HoldsKey: holding("default")})
	asked := mustResolve(t, c, "admin-groat", ResolveOptions{HoldsKey: holding("default")})
	if typed.Name != "admin" || typed.Profile != "admin-groat" {
		t.Errorf("typed %q stands for %q", typed.Name, typed.Profile)
	}
	if !reflect.DeepEqual(typed.Roles, asked.Roles) || !reflect.DeepEqual(typed.Source, asked.Source) || typed.Region != asked.Region || typed.DurationSeconds != 7200 {
		t.Errorf("typed %+v\nasked %+v", typed, asked)
	}
}

func TestConfigureRefuses(t *testing.T) {
	const role = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = k\n"
	for _, tc := range []struct {
		name, text, profile string
		sentinel            error
		say                 string
	}{
		{"unknown", teamConfig, "amdin", ErrUnknownProfile, "admin"},
		{"nothing to ask for", "[profile a]\nregion = x\n", "a", ErrUnsupported, "names no source"},
		{"plaintext key", "[profile a]\naws_access_key_id = I\naws_secret_access_key = S\n", "a", ErrUnsupported, "plaintext"},
		{"exported credentials", "[profile a]\naws_access_key_id = I\naws_secret_access_key = S\ngroat_exported = x\n" + role, "a", ErrUnsupported, "exported"},
		{"role with its own key", "[profile k]\n" + role, "k", ErrUnsupported, "holds a key and names a role"},
		{"other tool", "[profile k]\ncredential_process = /bin/other\n", "k", ErrUnsupported, "another tool"},
		{"leftover SSO", "[profile k]\nsso_account_id = 1\n", "k", ErrUnsupported, "sso_account_id"},
		{"leftover source", "[profile k]\nsource_profile = x\n", "k", ErrUnsupported, "source_profile"},
		{"self source", "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = a\ncredential_process = /bin/other\n", "a", ErrUnsupported, "names itself"},
		{"name taken", "[profile a]\n" + role + "[profile a-groat]\n", "a", ErrUnsupported, "already exists"},
		{"included by another", "[profile a]\n" + role + "[profile b]\ninclude_profile = a\n", "a", ErrUnsupported, `"b" includes "a"`},
		{"malformed", "[profile a]\n" + role + "nonsense\n", "a", ErrMalformed, "config:4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _, err := configure(t, tc.text, tc.profile, "k")
			if !errors.Is(err, tc.sentinel) || !strings.Contains(err.Error(), tc.say) || d.Text() != tc.text {
				t.Errorf("error %v, text %q", err, d.Text())
			}
		})
	}
	text := "[profile a]\nregion = x\n"
	d := NewDocument("config", text, false)
	if _, err := Configure(load(t, text, "[a]\n"+role), d, "a", configureOptions("k")); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "credentials:2") {
		t.Errorf("role in the credentials file: %v", err)
	}
}

// Edits made after configuring survive its undoing, or stop it.
func TestUnconfigureAfterEdits(t *testing.T) {
	const text = "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\nregion = y\nsource_profile = k\n"
	d, u, err := configure(t, text, "a", "k")
	if err != nil {
		t.Fatal(err)
	}
	configured := d.Text()

	d = NewDocument("config", "# new\n"+configured+"\n[profile b]\nregion = z\n", false)
	if note, err := Unconfigure(d, "a", u, configureOptions()); err != nil || note != "" || d.Text() != "# new\n"+text+"\n[profile b]\nregion = z\n" {
		t.Errorf("edits elsewhere: %v, %s, %q", err, note, d.Text())
	}

	d = NewDocument("config", strings.Replace(configured, "region = y\n", "region = y\noutput = json\n", 1), false)
	if note, err := Unconfigure(d, "a", u, configureOptions()); err != nil || note != "" || d.Text() != "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\nregion = y\nsource_profile = k\noutput = json\n" {
		t.Errorf("a line more: %v, %s, %q", err, note, d.Text())
	}

	d = NewDocument("config", strings.Replace(configured, "[profile a-groat]\n", "[profile a-groat]\noutput = json\n", 1), false)
	if note, err := Unconfigure(d, "a", u, configureOptions()); err != nil || !strings.Contains(note, "a-groat") || !strings.HasPrefix(d.Text(), text) {
		t.Errorf("the new section edited: %v, %s, %q", err, note, d.Text())
	}

	edited := strings.Replace(configured, "region = y\n", "role_arn = other\n", 1)
	d = NewDocument("config", edited, false)
	if _, err := Unconfigure(d, "a", u, configureOptions()); !errors.Is(err, ErrConflict) || d.Text() != edited {
		t.Errorf("a moved key is back: %v, %q", err, d.Text())
	}

	d = NewDocument("config", text, false)
	if _, err := Unconfigure(d, "a", u, configureOptions()); !errors.Is(err, ErrUnsupported) {
		t.Errorf("not configured: %v", err)
	}

	d = NewDocument("config", configured, false)
	if note, err := Unconfigure(d, "a", nil, configureOptions()); err != nil || note != "" || !reflect.DeepEqual(said(t, d.Text()), said(t, text)) {
		t.Errorf("without undo data: %v, %s, %q", err, note, d.Text())
	}
}

func TestUndoFile(t *testing.T) {
	const text = "[profile a]\n# aws_secret_access_key = hush\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = k\n"
	d, u, err := configure(t, text, "a", "k")
	if err != nil {
		t.Fatal(err)
	}
	f := UndoFile{Path: filepath.Join(t.TempDir(), "state", "configure-undo.json")}
	if err := f.Save(context.Background(), "config", map[string]*Undo{"a": u, "b": {File: "config", Profile: "b"}}); err != nil {
		t.Fatal(err)
	}
	if saved := readFile(t, f.Path); strings.Contains(saved, "hush") || !json.Valid([]byte(saved)) {
		t.Errorf("saved %s", saved)
	}
	if err := f.Save(context.Background(), "config", map[string]*Undo{"b": nil}); err != nil {
		t.Fatal(err)
	}
	loaded, err := f.Load("config")
	if err != nil || len(loaded) != 1 {
		t.Fatalf("loaded %v, %v", loaded, err)
	}
	if other, err := f.Load("elsewhere"); err != nil || len(other) != 0 {
		t.Errorf("of another file: %v, %v", other, err)
	}
	if _, err := Unconfigure(d, "a", loaded["a"], configureOptions()); err != nil || d.Text() != text {
		t.Errorf("undone %q, %v", d.Text(), err)
	}
	writeFile(t, f.Path, `{"version":2}`, 0o600)
	if _, err := f.Load("config"); err == nil {
		t.Error("an unknown version is read")
	}
	if err := f.Save(context.Background(), "config", nil); err == nil || readFile(t, f.Path) != `{"version":2}` {
		t.Errorf("an unknown version is overwritten: %v", err)
	}
}

// Processes that save at the same time lose nothing of each other.
func TestUndoFileIsShared(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories cannot be locked on Windows")
	}
	f := UndoFile{Path: filepath.Join(t.TempDir(), "state", "undo.json")}
	var all sync.WaitGroup
	saved := make([]error, 8)
	for i := range saved {
		all.Go(func() {
			name := fmt.Sprint(i)
			saved[i] = f.Save(context.Background(), "config", map[string]*Undo{name: {File: "config", Profile: name}})
		})
	}
	all.Wait()
	found, err := f.Load("config")
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range saved {
		if _, there := found[fmt.Sprint(i)]; !there || err != nil {
			t.Errorf("save %d: %v, there: %v", i, err, there)
		}
	}
}

// Configuring and undoing gives back every byte, whatever the file.
func FuzzConfigure(f *testing.F) {
	for _, text := range fuzzTexts {
		f.Add(text, "default")
		f.Add(text, "a")
		f.Add(text, "k")
	}
	f.Add(teamConfig, "admin")
	f.Add("[profile a]\n  role_arn = r\n  # c\n\n    more\n[profile b]\n[profile a]\nsource_profile: k # c\r\nregion = x", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		d, u, err := configure(t, text, name, "k", "default")
		if err != nil || u == nil {
			if d.Text() != text {
				t.Fatalf("error %v, text changed", err)
			}
			return
		}
		if line, _ := d.Get(name, "credential_process"); !strings.Contains(line, "credential-process "+name) {
			t.Fatalf("configured %q", d.Text())
		}
		note, err := Unconfigure(d, name, u, ConfigureOptions{SelfProfile: func(line string) (string, bool, bool) {
			name, ok := strings.CutPrefix(line, `"/opt/groat" credential-process `)
			return name, ok, ok
		}})
		if err != nil || note != "" || d.Text() != text {
			t.Fatalf("undone %q, want %q (%v, %s)", d.Text(), text, err, note)
		}
	})
}
