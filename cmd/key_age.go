package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"groat/vault"
	"groat/vault/files"
)

// maxKeyAgeSetting has no flag: it is a habit of the machine, not of one command.
const maxKeyAgeSetting = "max-key-age"

// keyAge is how old a key is, in whole days; known says that AWS told when it
// made it. Else it is at least as old as its storing.
func keyAge(card vault.Card, now time.Time) (age int, known bool) {
	made := card.Created
	if known = !made.IsZero(); !known {
		made = card.Added
	}
	return max(int(now.Sub(made)/(24*time.Hour)), 0), known
}

// ageWords is a key's age for a person.
func ageWords(card vault.Card, now time.Time) string {
	age, known := keyAge(card, now)
	atLeast := ""
	if !known {
		atLeast = "at least "
	}
	return fmt.Sprintf("%s%d %s old", atLeast, age, plural(age, "day"))
}

// nudge says, once a day and to a person only, that a key is older than
// GROAT_MAX_KEY_AGE.
func (v *vaults) nudge(card vault.Card) {
	if !isTerminal(v.streams.Err) {
		return
	}
	text, place, _, err := v.settings.value(maxKeyAgeSetting)
	if err != nil || place == "" {
		return
	}
	limit, err := parseDays(text)
	if err != nil {
		v.warn(place + ": " + err.Error())
		return
	}
	age, _ := keyAge(card, v.now())
	if time.Duration(age)*24*time.Hour <= limit || !v.paths.onceADay("key-age", v.now()) {
		return
	}
	v.say(fmt.Sprintf("access key %s of profile %s is %d days old, and %s is %s; to replace it: groat rotate %s", card.KeyID, quote(card.Profile), age, place, text, files.Word(card.Profile)))
}

// onceADay reports whether something was not said here for a day, and notes
// that it is said now. Where that cannot be noted it is not said at all.
func (p *paths) onceADay(what string, now time.Time) bool {
	stamp := filepath.Join(p.state, "said-"+what)
	if st, err := os.Stat(stamp); err == nil {
		if age := now.Sub(st.ModTime()); age >= 0 && age < 24*time.Hour {
			return false
		}
	}
	return os.MkdirAll(p.state, 0o700) == nil && os.WriteFile(stamp, nil, 0o600) == nil && os.Chtimes(stamp, now, now) == nil
}
