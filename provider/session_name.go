package provider

import "strings"

// AWS's rule for RoleSessionName and SourceIdentity: [\w+=,.@-]{2,64}.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	minSessionName = 2
	maxSessionName = 64
)

// roleSessionName is the name that CloudTrail shows: the profile's own, else
// who is known to hold the key, so that the log says who it was without an
// extra call.
func roleSessionName(configured string, card *Card, serial, osUser string) string {
	candidates := []string{configured}
	if card != nil {
		candidates = append(candidates, card.UserName)
	}
	if strings.Contains(serial, "/") {
		candidates = append(candidates, serial[strings.LastIndexByte(serial, '/')+1:])
	}
	// Windows says DOMAIN\user.
	candidates = append(candidates, osUser[strings.LastIndexByte(osUser, '\\')+1:])
	for _, c := range candidates {
		if strings.TrimSpace(c) != "" {
			return sanitizeSessionName(c)
		}
	}
	return "groat"
}

// sanitizeSessionName makes any text a name that AWS accepts; a name that is
// accepted already stays as it is.
func sanitizeSessionName(s string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		if b.Len() == maxSessionName {
			break
		}
		if isSessionNameRune(r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	name := b.String()
	if len(name) < minSessionName {
		name = "groat-" + name
	}
	return name
}

func isSessionNameRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return strings.ContainsRune("_+=,.@-", r)
}
