package doctor

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault/files"
)

// configuration looks at what the AWS files say, and at what comes of it.
func (e *exam) configuration() {
	if e.Config == nil {
		if e.ConfigErr != nil {
			e.add(e.fromError("access", Error, e.ConfigErr))
		}
		return
	}
	for _, l := range e.Config.Lint() {
		f := e.fromError(l.Check, severity(l.Fatal), l.Error)
		e.add(e.better(f))
	}
	for _, name := range e.Config.Names() {
		e.process(name)
		e.exported(name)
		e.caBundle(name)
		if e.Config.Fatal() == nil {
			e.resolved(name)
		}
	}
	e.signIn()
}

// better gives a finding of the files the command that mends it, where
// opening an editor is not the best one.
func (e *exam) better(f Finding) Finding {
	if f.Check == "plaintext-key" {
		f.Remedy = "groat add " + files.Word(f.Profile)
		if f.File == e.Credentials {
			f.Remedy = "groat import --from credentials-file --delete-source " + files.Word(f.Profile)
		}
	}
	return f
}

// resolved says what keeps a profile from having credentials.
func (e *exam) resolved(name string) {
	r, err := e.Resolve(name)
	if err != nil {
		if errors.As(err, new(*profile.Error)) {
			e.add(e.fromError(className(err), Error, err))
		}
		return // a vault's failure is told once, for all profiles
	}
	var card *provider.Card
	switch r.Source.Kind {
	case profile.SourceNone:
		e.keyless(r)
		return
	case profile.SourceStatic: // has a finding of its own
		planned := *r
		planned.Source.Kind = profile.SourceKey
		r, card = &planned, &provider.Card{Profile: r.Source.Profile}
	case profile.SourceKey:
		card = e.card(r.Source.Profile)
	}
	file, line := e.place(name, "mfa_serial", "role_arn", "region")
	place := func(f Finding) Finding {
		if f.Profile = name; f.File == "" {
			f.File, f.Line = file, line
			if f.Remedy == noRemedy {
				f.Remedy = e.edit(file, line)
			}
		}
		return f
	}
	plan, err := provider.NewPlan(r, card, provider.Options{})
	if err != nil {
		e.add(place(e.fromError(className(err), Error, err)))
		return
	}
	for _, w := range plan.Warnings {
		e.add(place(Finding{Check: "plan", Severity: Warning, Message: w, Remedy: "groat explain " + files.Word(name)}))
	}
	e.endpoints(name, r)
	e.account(name, r, card)
}

// className names a check after what is wrong.
func className(err error) string {
	for class, name := range map[error]string{
		profile.ErrUnknownProfile: "unknown-profile", profile.ErrCycle: "cycle", profile.ErrUnsupported: "unsupported",
		profile.ErrAccess: "access", provider.ErrNoKey: "no-key",
	} {
		if errors.Is(err, class) {
			return name
		}
	}
	return "malformed"
}

// place is where the first of the keys that a profile has is written.
func (e *exam) place(name string, keys ...string) (file string, line int) {
	for _, key := range keys {
		if file, line := e.Config.Place(name, key); file != "" {
			return file, line
		}
	}
	return "", 0
}

// keyless: a role, or a serial, says that a key is meant to be there. A
// section with a region alone is nobody's mistake.
func (e *exam) keyless(r *profile.Resolved) {
	source := r.Source.Profile
	if len(r.Roles) == 0 && r.Source.MFASerial == "" || e.Lost || e.needsKey[source] {
		return
	}
	if e.needsKey == nil {
		e.needsKey = map[string]bool{}
	}
	e.needsKey[source] = true
	file, line := e.place(r.Name, "source_profile", "mfa_serial", "role_arn")
	e.add(Finding{Check: "no-key", Severity: Error, Profile: source, File: file, Line: line,
		Message: fmt.Sprintf("profile %q needs the access key of profile %q, and no vault holds it", r.Name, source), Remedy: "groat add " + files.Word(source)})
}

// card is what is known of a stored key.
func (e *exam) card(name string) *provider.Card {
	for _, k := range e.Keys {
		if k.Profile == name && k.Card != nil {
			return &provider.Card{Profile: name, KeyID: k.Card.KeyID, Account: k.Card.Account, UserName: k.Card.UserName, MFASerial: k.Card.MFASerial}
		}
	}
	return &provider.Card{Profile: name}
}

// account: a device works for the users of its own account only.
func (e *exam) account(name string, r *profile.Resolved, card *provider.Card) {
	part := strings.Split(r.Source.MFASerial, ":")
	if card == nil || card.Account == "" || len(part) < 6 || part[4] == card.Account {
		return
	}
	file, line := e.place(name, "mfa_serial")
	e.add(Finding{Check: "mfa-account", Severity: Error, Profile: name, File: file, Line: line,
		Message: fmt.Sprintf("the MFA device is in account %s, but the access key of %q is in %s", part[4], r.Source.Profile, card.Account),
		Remedy:  "groat mfa list " + files.Word(r.Source.Profile)})
}

// endpoints: every service gets secrets or answers with them.
func (e *exam) endpoints(name string, r *profile.Resolved) {
	all := []profile.Endpoints{r.Source.Endpoints}
	for _, role := range r.Roles {
		all = append(all, role.Endpoints)
	}
	for _, one := range all {
		for _, url := range one.URL {
			if err := provider.CheckEndpointURL(url); err != nil && !e.inEnvironment(url) {
				f := e.fromError("endpoint", Error, err)
				f.Profile = name
				f.File, f.Line = e.place(name, "endpoint_url", "services")
				f.Remedy = e.edit(f.File, f.Line)
				e.add(f)
			}
		}
	}
}

// process: the program of a credential_process line must be there.
func (e *exam) process(name string) {
	words, err := profile.SplitCommand(e.Config.Value(name, "credential_process"))
	if err != nil || len(words) == 0 || strings.ContainsAny(words[0], "$`~|;&(<>=") || e.LookPath(words[0]) == nil {
		return
	}
	file, line := e.place(name, "credential_process")
	e.add(Finding{Check: "process-missing", Severity: Error, Profile: name, File: file, Line: line,
		Message: fmt.Sprintf("profile %q runs %s, which is not there or cannot be run", name, words[0]), Remedy: e.edit(file, line)})
}

// exported: what `export --to-credentials-file` wrote is used by SDKs long
// after its end.
func (e *exam) exported(name string) {
	end, err := time.Parse(time.RFC3339, e.Config.Value(name, profile.ExportedKey))
	if err != nil || end.After(e.Now) {
		return
	}
	file, line := e.place(name, profile.ExportedKey)
	e.add(Finding{Check: "expired-export", Severity: Warning, Profile: name, File: file, Line: line,
		Message: fmt.Sprintf("the session credentials that were exported for profile %q have expired, and SDKs go on using them", name),
		Remedy:  "groat remove --sessions-only " + files.Word(name)})
}

// caBundle must be there, or no call reaches AWS.
func (e *exam) caBundle(name string) {
	path := e.Config.Value(name, "ca_bundle")
	if path == "" || exists(path) {
		return
	}
	file, line := e.place(name, "ca_bundle")
	e.add(Finding{Check: "missing-file", Severity: Error, Profile: name, File: file, Line: line,
		Message: fmt.Sprintf("the CA bundle %s does not exist", path), Remedy: e.edit(file, line)})
}

// signIn: boto3 takes login_session before anything else, and fails without
// its native library.
func (e *exam) signIn() {
	for _, name := range e.Config.Names() {
		file, line := e.place(name, "login_session")
		if file == "" || !e.botoWithoutCRT() {
			continue
		}
		e.add(Finding{Check: "login-session", Severity: Warning, Profile: name, File: file, Line: line,
			Message: fmt.Sprintf("profile %q has login_session, which the boto3 of this machine cannot use without the package awscrt", name),
			Remedy:  "groat configure " + files.Word(name)})
	}
}

// botoWithoutCRT looks beside the first python3 of PATH, or of the virtual
// environment.
func (e *exam) botoWithoutCRT() bool {
	roots := []string{"/usr/lib/python3", "/usr/lib/python3.*", "/usr/local/lib/python3.*"}
	if venv := e.Getenv("VIRTUAL_ENV"); venv != "" {
		roots = []string{filepath.Join(venv, "lib", "python3.*")}
	}
	has := func(module string) bool {
		for _, root := range roots {
			for _, packages := range []string{"dist-packages", "site-packages"} {
				if found, _ := filepath.Glob(filepath.Join(root, packages, module)); len(found) > 0 {
					return true
				}
			}
		}
		return false
	}
	return has("boto3") && !has("awscrt")
}
