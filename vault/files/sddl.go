package files

import (
	"slices"
	"strings"
)

// Windows says in SDDL whose a file is and who may do what with it:
// https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
//
// This file only reads and writes such text, so that it is tested everywhere.

// system are those whom Windows lets in anyway, as Unix does root: the system
// and the administrators.
var system = []string{"SY", "BA", "S-1-5-18", "S-1-5-32-544"}

// ownSDDL lets one user and the system do everything with a folder and with
// what is made in it, and nobody else anything; nothing is inherited.
func ownSDDL(user string) string {
	text := "D:P"
	for _, who := range []string{user, "SY", "BA"} {
		text += "(A;OICI;FA;;;" + who + ")"
	}
	return text
}

// strangers are those who own what is described, or whom it lets in, but for
// the user and the system. Without a list everyone is let in.
func strangers(sddl, user string) (owner string, others []string) {
	own := append([]string{user}, system...)
	add := func(who string) {
		if !slices.Contains(others, who) {
			others = append(others, who)
		}
	}
	before, list, found := strings.Cut(sddl, "D:")
	if !found || strings.HasPrefix(list, "NO_ACCESS_CONTROL") {
		add("WD")
	}
	if _, owner, _ = strings.Cut(before, "O:"); owner != "" {
		owner, _, _ = strings.Cut(owner, "G:")
	}
	if slices.Contains(own, owner) {
		owner = ""
	}
	list, _, _ = strings.Cut(list, "S:(") // auditing lets nobody in
	for _, entry := range strings.Split(list, "(")[1:] {
		fields := strings.Split(strings.TrimSuffix(entry, ")"), ";")
		const kind, who = 0, 5
		switch {
		case len(fields) <= who:
			add("WD") // cannot be read
		case !strings.Contains(fields[kind], "A"): // it refuses
		case fields[who] == "CO", fields[who] == "OW", slices.Contains(own, fields[who]): // CO, OW: the owner
		default:
			add(fields[who])
		}
	}
	return owner, others
}
