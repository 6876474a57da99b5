package doctor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"groat/vault"
	"groat/vault/files"
)

// vaults looks at the backends that keys are kept in, and at the keys.
func (e *exam) vaults() {
	for _, backend := range slices.Sorted(maps.Keys(e.Vaults)) {
		e.vault(backend, e.Vaults[backend])
	}
	for _, err := range e.Damaged {
		e.add(e.fromError("damaged-item", Error, err))
	}
	if e.HalfVault {
		e.add(Finding{Check: "header", Severity: Warning, Remedy: "groat unlock",
			Message: "one of the two copies of the file vault's header is missing, damaged or out of date: if the other goes, no key opens"})
	}
	if e.Bus != nil {
		e.add(Finding{Check: "bus", Severity: Warning, Remedy: unset("DBUS_SESSION_BUS_ADDRESS"),
			Message: "keys are not stored in the desktop's own store: " + e.Bus.Error()})
	}
	for _, k := range e.Unused {
		e.add(Finding{Check: "unused-device", Severity: Warning, Profile: k.Profile, Remedy: "groat mfa remove " + files.Word(k.Profile) + " --mfa-serial " + files.Word(k.Card.MFASerial),
			Message: fmt.Sprintf("MFA device %s was created and never enabled", k.Card.MFASerial)})
	}
	held := map[string][]string{}
	for _, k := range e.Keys {
		held[k.Profile] = append(held[k.Profile], k.Backend)
		e.age(k)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Records)) {
		backend := e.Records[name]
		if !slices.Contains(held[name], backend) && !e.Lost {
			e.add(Finding{Check: "lost-key", Severity: Error, Profile: name,
				Message: fmt.Sprintf("the access key of profile %q was put into the %s vault and is no longer there", name, backend), Remedy: "groat add " + files.Word(name)})
		}
	}
}

// vault says why a backend does not open.
func (e *exam) vault(backend string, err error) {
	switch {
	case errors.Is(err, vault.ErrLocked) && backend == "file":
		if e.Silenced == nil {
			return // its passphrase will be asked for when it is needed
		}
		e.add(Finding{Check: "locked", Severity: Error, File: e.SilencedFile, Remedy: e.loud(),
			Message: "the file vault is locked, and there is no way to ask for its passphrase: " + e.Silenced.Error()})
	case errors.Is(err, vault.ErrLocked):
		e.add(Finding{Check: "locked", Severity: Warning, Message: err.Error(), Remedy: "groat list --credentials"})
	case errors.Is(err, vault.ErrPassphrase):
		e.add(Finding{Check: "passphrase", Severity: Error, Message: "the passphrase that the settings give does not open the file vault", Remedy: unset("GROAT_FILE_PASSPHRASE")})
	case errors.As(err, new(*files.AccessError)):
		e.add(e.fromError("access", Error, err))
	default:
		f := e.fromError("backend", Error, err)
		if f.Remedy == noRemedy {
			f.Remedy = "groat list --debug"
		}
		e.add(f)
	}
}

// age says which keys are older than GROAT_MAX_KEY_AGE.
func (e *exam) age(k Key) {
	if k.Card == nil || e.MaxAge == 0 {
		return
	}
	made := k.Card.Created
	if made.IsZero() {
		made = k.Card.Added
	}
	if age := e.Now.Sub(made); age > e.MaxAge {
		e.add(Finding{Check: "old-key", Severity: Warning, Profile: k.Profile,
			Message: fmt.Sprintf("access key %s of profile %q is %d days old", k.Card.KeyID, k.Profile, age/(24*time.Hour)), Remedy: "groat rotate " + files.Word(k.Profile)})
	}
}
