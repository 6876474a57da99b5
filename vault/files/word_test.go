package files

import "testing"

func TestWord(t *testing.T) {
	for in, want := range map[string]string{"admin": "admin", "arn:aws:iam::1:mfa/x": "arn:aws:iam::1:mfa/x", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "--a=b": "--a=b", "a\x1b\nb": "ab", "größe": "'größe'"} {
		if got := Word(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
