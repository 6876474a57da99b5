package profile

import (
	"errors"
	"testing"
)

func TestExportedSections(t *testing.T) {
	const before = "# mine\r\n[other]\r\naws_access_key_id = AKIA\r\naws_secret_access_key = s\r\n\r\n[mixed]\r\n# a comment\r\nregion = us-east-1\r\noutput = json\r\n"
	d := NewDocument("credentials", before, true)
	if err := d.SetExported("other", "ASIA", "s", "t", "2031"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("another's keys were replaced: %v", err)
	}
	for _, name := range []string{"admin", "mixed", "admin"} {
		if err := d.SetExported(name, "ASIA"+name, "s", "t", "2031-02-03T04:05:06Z"); err != nil {
			t.Fatal(err)
		}
	}
	if v, _ := d.Get("admin", "aws_session_token"); v != "t" {
		t.Errorf("no token in\n%s", d.Text())
	}
	if err := d.SetExported("admin", "ASIA2", "s", "t2", ""); err != nil {
		t.Fatal(err)
	}
	if mark, _ := d.Get("admin", ExportedKey); mark != "never" {
		t.Errorf("credentials without an end are marked %q", mark)
	}
	if n, err := d.DropExported(func(name string) bool { return name == "admin" }); n != 1 || err != nil || d.Has("admin") {
		t.Errorf("dropped %d, %v:\n%s", n, err, d.Text())
	}
	if n, err := d.DropExported(func(string) bool { return true }); n != 1 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	if got := d.Text(); got != before {
		t.Errorf("after all that:\n%q\nwant\n%q", got, before)
	}
}

// What groat exported is never what it starts from.
func TestExportedIsNoSource(t *testing.T) {
	files := map[string]string{
		"config":      "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base\n",
		"credentials": "[admin]\naws_access_key_id = ASIA\naws_secret_access_key = s\naws_session_token = t\ngroat_exported = 2031\n",
	}
	c, err := Load(LoadOptions{ConfigFile: "config", CredentialsFile: "credentials", ReadFile: func(p string) ([]byte, error) { return []byte(files[p]), nil }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Resolve("admin", ResolveOptions{
		HoldsKey: func(name string) (bool, error) { return name == "base", nil },
		Getenv:   func(string) string { return "" },
	})
	if err != nil || r.Source.Kind != SourceKey || r.Source.Profile != "base" {
		t.Errorf("source %+v, %v", r.Source, err)
	}
}
