package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"groat/cmd/child"
	"groat/session"
)

// exportInput is what an export format prints.
type exportInput struct {
	Profile     string
	Region      string // "" if none is configured
	Credentials session.Credentials
	// Stale names variables that the asking shell has set and that would
	// compete with the new ones; formats that a shell evaluates unset them.
	Stale []string
}

// lineFormat prints variables, one a line.
type lineFormat struct {
	set, unset string // fmt formats; unset is empty where nothing can be unset
	quote      func(string) (string, error)
}

// lineFormats are the formats that a shell, or an --env-file, reads.
var lineFormats = map[string]lineFormat{
	"export-env": {"export %s=%s\n", "unset %s\n", quotePOSIX},
	"env":        {"%s=%s\n", "", oneLine},
	"fish":       {"set -gx %s %s\n", "set -e %s\n", quoteFish},
	"powershell": {"$env:%s = %s\n", "Remove-Item -ErrorAction Ignore Env:%s\n", quotePowerShell},
	"cmd":        {"set \"%s=%s\"\n", "set \"%s=\"\n", plainCmd},
}

// export prints credentials in one of the formats of `groat export`.
func export(format string, in exportInput) (string, error) {
	switch format {
	case "json":
		return indented(newProcessOutput(in.Credentials))
	case "sts":
		return exportSTS(in.Credentials)
	case "ini":
		return exportINI(in)
	}
	return lineFormats[format].print(child.Variables(in.Credentials, in.Region), in.Stale)
}

// staleVariables are the credential and profile variables in the environment
// of the asking shell that setting the new ones would leave standing.
func staleVariables(environ []string, in exportInput) []string {
	var stale []string
	set := child.Variables(in.Credentials, in.Region)
	for _, name := range child.CredentialNames(environ) {
		isSet := slices.ContainsFunc(set, func(v child.Variable) bool { return v.Name == name })
		// A name that is no word could break out of the line that unsets it.
		if !isSet && isWord(name) {
			stale = append(stale, name)
		}
	}
	slices.Sort(stale)
	return stale
}

func isWord(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// print is all or nothing: half of an identity is another identity.
func (f lineFormat) print(vars []child.Variable, stale []string) (string, error) {
	var b strings.Builder
	if f.unset != "" {
		for _, name := range stale {
			fmt.Fprintf(&b, f.unset, name)
		}
	}
	for _, v := range vars {
		q, err := f.quote(v.Value)
		if err != nil {
			return "", fmt.Errorf("could not print %s: %w", v.Name, err)
		}
		fmt.Fprintf(&b, f.set, v.Name, q)
	}
	return b.String(), nil
}

var (
	errNUL     = errors.New("it contains a NUL character, which no variable can hold")
	errNewline = errors.New("it contains a line break, which this format cannot hold")
	errCmd     = errors.New(`it contains one of " % ! or a line break, which cmd.exe would not take literally`)
)

// quotePOSIX is a literal word for sh, bash, zsh, ksh and dash: within single
// quotes nothing is special but the single quote (POSIX, "Quoting").
func quotePOSIX(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errNUL
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// quoteFish is a literal word for fish: within single quotes the backslash
// and the single quote are special (fish manual, "Quotes").
func quoteFish(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errNUL
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'", nil
}

// quotePowerShell is a verbatim string: a single quote is doubled, and so are
// the typographic quotes, which PowerShell takes for it (about_Quoting_Rules;
// the language specification's single-quote-character).
func quotePowerShell(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errNUL
	}
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String(), nil
}

// plainCmd lets values through that cmd.exe takes literally between the
// quotes of set "NAME=value", in a batch file and at the prompt alike; the
// others it cannot be told at all.
func plainCmd(s string) (string, error) {
	if strings.ContainsAny(s, "\"%!\r\n\x00") {
		return "", errCmd
	}
	return s, nil
}

// oneLine is for formats without quoting: docker --env-file, systemd and
// Makefiles read the rest of the line as it stands.
func oneLine(s string) (string, error) {
	if strings.ContainsAny(s, "\r\n\x00") {
		return "", errNewline
	}
	return s, nil
}

// exportSTS is the shape of the answers of STS itself, as `aws sts` prints
// them: session credentials with their end, or nothing.
func exportSTS(c session.Credentials) (string, error) {
	if c.SessionToken == "" {
		return "", usageError("the sts format is for session credentials, and these are a long-lived key", "use --format json, or leave --no-session out")
	}
	var out struct {
		Credentials struct {
			AccessKeyID     string `json:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      string `json:",omitempty"`
		}
	}
	out.Credentials.AccessKeyID, out.Credentials.SecretAccessKey = c.AccessKeyID, c.SecretAccessKey
	out.Credentials.SessionToken, out.Credentials.Expiration = c.SessionToken, child.FormatExpiration(c.Expiration)
	return indented(out)
}

func indented(v any) (string, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return string(data) + "\n", err
}

// exportINI is a section of the shared credentials file.
func exportINI(in exportInput) (string, error) {
	if strings.ContainsAny(in.Profile, "[]\r\n\x00") {
		return "", fmt.Errorf("could not print a section for profile %q: the format cannot hold this name", in.Profile)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", in.Profile)
	for _, kv := range iniKeys(in) {
		v, err := oneLine(kv.Value)
		if err == nil && v != strings.TrimSpace(v) {
			err = errors.New("it begins or ends with a blank, which this format cannot hold")
		}
		if err == nil && beginsComment(" "+v) {
			err = errors.New("it contains a blank and # or ;, which many SDKs read as a comment")
		}
		if err != nil {
			return "", fmt.Errorf("could not print %s: %w", kv.Name, err)
		}
		fmt.Fprintf(&b, "%s = %s\n", kv.Name, v)
	}
	return b.String(), nil
}

// beginsComment finds an inline comment: a blank, then # or ;.
func beginsComment(line string) bool {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	return false
}

// iniKeys are the keys of a section of session credentials, in order.
func iniKeys(in exportInput) []child.Variable {
	c := in.Credentials
	keys := []child.Variable{
		{Name: "aws_access_key_id", Value: c.AccessKeyID},
		{Name: "aws_secret_access_key", Value: c.SecretAccessKey},
		{Name: "aws_session_token", Value: c.SessionToken},
		{Name: "aws_credential_expiration", Value: child.FormatExpiration(c.Expiration)},
		{Name: "region", Value: in.Region},
	}
	return slices.DeleteFunc(keys, func(v child.Variable) bool { return v.Value == "" })
}
