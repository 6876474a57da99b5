package profile

import (
	"errors"
	"testing"
)

func TestDocumentSet(t *testing.T) {
	cases := []struct{ name, text, profile, key, value, want string }{
		{"new file", "", "default", "mfa_serial", "s", "[default]\nmfa_serial = s\n"},
		{"new section", "[default]\nregion = x\n", "dev", "region", "y", "[default]\nregion = x\n\n[profile dev]\nregion = y\n"},
		{"new section after a blank line", "[default]\nregion = x\n\n", "dev", "region", "y", "[default]\nregion = x\n\n[profile dev]\nregion = y\n"},
		{"new section, no line end", "[default]\nregion = x", "dev", "region", "y", "[default]\nregion = x\n\n[profile dev]\nregion = y\n"},
		{"name with a blank", "", "my dev", "region", "y", "[profile \"my dev\"]\nregion = y\n"},
		{"new key, before the blank line", "[default]\nregion = x\n\n# next\n[profile b]\n", "default", "mfa_serial", "s", "[default]\nregion = x\nmfa_serial = s\n\n# next\n[profile b]\n"},
		{"new key in the manner of the section", "[default]\n  region=x\n[profile b]\n", "default", "mfa_serial", "s", "[default]\n  region=x\n  mfa_serial=s\n[profile b]\n"},
		{"new key, no line end", "[default]\nregion = x", "default", "mfa_serial", "s", "[default]\nregion = x\nmfa_serial = s"},
		{"new key under a nested one", "[default]\ns3 =\n  a = b\n\n  c = d\n[profile b]\n", "default", "region", "s", "[default]\ns3 =\n  a = b\n\n  c = d\nregion = s\n[profile b]\n"},
		{"CRLF", "[default]\r\nregion = x\r\n\r\n[profile b]\r\n", "default", "mfa_serial", "s", "[default]\r\nregion = x\r\nmfa_serial = s\r\n\r\n[profile b]\r\n"},
		{"empty section", "[profile b]\n[profile c]\n", "b", "region", "x", "[profile b]\nregion = x\n[profile c]\n"},
		{"value replaced, comment kept", "[default]\nRegion  =  x   # why\n", "default", "region", "y", "[default]\nRegion  =  y   # why\n"},
		{"value replaced, continuation gone", "[default]\na = 1\n  2\n  # c\n  3\nb = 4\n", "default", "a", "x", "[default]\na = x\n  # c\nb = 4\n"},
		{"empty value filled", "[default]\na =\nb=\n", "default", "a", "x", "[default]\na = x\nb=\n"},
		{"empty value without blanks", "[default]\nb=\n", "default", "b", "x", "[default]\nb=x\n"},
		{"value emptied", "[default]\nb = x # c\n", "default", "b", "", "[default]\nb =  # c\n"},
		{"the last one counts", "[default]\na = 1\na = 2\n[profile b]\n[default]\na = 3\n", "default", "a", "x", "[default]\na = 1\na = 2\n[profile b]\n[default]\na = x\n"},
		{"same value: nothing changes", "[default]\na=1 ;c", "default", "a", "1", "[default]\na=1 ;c"},
		{"byte order mark", "\ufeff[default]\na=1\n", "default", "a", "2", "\ufeff[default]\na=2\n"},
		{"malformed lines elsewhere stay", "[default]\nnonsense\n[profile b]\na=1\n", "b", "a", "2", "[default]\nnonsense\n[profile b]\na=2\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := NewDocument("config", tc.text, false)
			if err := d.Set(tc.profile, tc.key, tc.value); err != nil {
				t.Fatal(err)
			}
			if d.Text() != tc.want {
				t.Errorf("got\n%q, want\n%q", d.Text(), tc.want)
			}
			if v, ok := d.Get(tc.profile, tc.key); !ok || v != tc.value {
				t.Errorf("read back %q, %v", v, ok)
			}
		})
	}
}

func TestDocumentRemove(t *testing.T) {
	const text = "[default]\na = 1\n  2\n# c\nb = 3\n\n[default]\nA=4\n"
	d := NewDocument("config", text, false)
	if err := d.Remove("default", "a"); err != nil || d.Text() != "[default]\n# c\nb = 3\n\n[default]\n" {
		t.Errorf("got %q, %v", d.Text(), err)
	}
	if err := d.Remove("none", "a"); err != nil {
		t.Error(err)
	}
}

// What would not be read back alike is refused, and changes nothing.
func TestDocumentRefuses(t *testing.T) {
	for _, tc := range [][3]string{
		{"default", "a", "x # y"}, {"default", "a", " x"}, {"default", "a", "x\ny"}, {"default", "a", "x\x00\r"},
		{"a]\nb", "a", "x"}, {"a # b", "a", "x"}, {"", "a", "x"}, {"default", "a=b", "x"}, {"default", "#a", "x"}, {"default", "A", "x"},
	} {
		d := NewDocument("config", "[default]\nz = 1\n", false)
		if err := d.Set(tc[0], tc[1], tc[2]); !errors.Is(err, ErrUnsupported) || d.Text() != "[default]\nz = 1\n" {
			t.Errorf("%q: error %v, text %q", tc, err, d.Text())
		}
	}
}

// In a credentials file every section is a profile by its bare name.
func TestCredentialsDocument(t *testing.T) {
	d := NewDocument("credentials", "[default]\naws_access_key_id = A\n\n[profile x]\nk = 1\n", true)
	for _, set := range [][3]string{{"two words", "aws_session_token", "t=="}, {"default", "aws_access_key_id", "B"}, {"profile x", "k", "2"}} {
		if err := d.Set(set[0], set[1], set[2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Remove("profile x", "k"); err != nil {
		t.Fatal(err)
	}
	if want := "[default]\naws_access_key_id = B\n\n[profile x]\n\n[two words]\naws_session_token = t==\n"; d.Text() != want {
		t.Errorf("got %q, want %q", d.Text(), want)
	}
}
