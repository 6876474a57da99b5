package cmd

import (
	"context"
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
func (a *app) nudge(card vault.Card) {
	if !isTerminal(a.streams.Err) {
		return
	}
	text, place, _, err := a.settings.value(maxKeyAgeSetting)
	if err != nil || place == "" {
		return
	}
	limit, err := parseDays(text)
	if err != nil {
		a.warn(place + ": " + err.Error())
		return
	}
	age, _ := keyAge(card, a.now())
	if time.Duration(age)*24*time.Hour <= limit || !a.onceADay("key-age") {
		return
	}
	a.say(fmt.Sprintf("access key %s of profile %s is %d days old, and %s is %s; to replace it: groat rotate %s", card.KeyID, quote(card.Profile), age, place, text, files.Word(card.Profile)))
}

// onceADay reports whether something was not said here for a day, and notes
// that it is said now. Where that cannot be noted it is not said at all.
func (a *app) onceADay(what string) bool {
	stamp := filepath.Join(a.paths.state, "said-"+what)
	if st, err := os.Stat(stamp); err == nil {
		if age := a.now().Sub(st.ModTime()); age >= 0 && age < 24*time.Hour {
			return false
		}
	}
	return os.MkdirAll(a.paths.state, 0o700) == nil && os.WriteFile(stamp, nil, 0o600) == nil && os.Chtimes(stamp, a.now(), a.now()) == nil
}

// learnKeyAges keeps what a credential report says of when the stored keys
// were made: made is by account and user, for users with one active key.
func (a *app) learnKeyAges(ctx context.Context, made map[[2]string]time.Time) {
	all, err := a.vaults().AllCards(ctx)
	if err != nil {
		return
	}
	for name, card := range all.Cards {
		at, ok := made[[2]string{card.Account, card.UserName}]
		if !ok || !card.Created.IsZero() || at.After(card.Added) { // stored before it was made: another key
			continue
		}
		_, err := vault.SetCard(ctx, all.Holders[name][0], name, func(c *vault.Card) { c.Created = at })
		if err != nil {
			a.debugf("could not keep when the key of %q was made: %v", name, err)
		}
	}
}
