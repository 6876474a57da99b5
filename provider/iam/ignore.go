package iam

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Ignored are findings that nobody wants to see: bots have no MFA device.
type Ignored []ignoreRule

type ignoreRule struct {
	user, check string    // check "" is every one
	until       time.Time // zero: for ever
}

// IgnoreUsers ignores all findings of the users.
func IgnoreUsers(names []string) Ignored {
	var all Ignored
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, ignoreRule{user: name})
		}
	}
	return all
}

// ParseIgnored reads lines of the form
//
//	user[:check] [until 2027-01-31] # reason
//
// Empty lines and comments are skipped. The error names the line.
func ParseIgnored(r io.Reader) (Ignored, error) {
	var all Ignored
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		rule := ignoreRule{}
		rule.user, rule.check, _ = strings.Cut(words[0], ":")
		if _, known := checks[rule.check]; rule.check != "" && !known {
			return nil, fmt.Errorf("line %d: %q is not a check", n, rule.check)
		}
		switch {
		case len(words) == 3 && words[1] == "until":
			until, err := time.Parse(time.DateOnly, words[2])
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is not a date such as 2027-01-31", n, words[2])
			}
			rule.until = until.AddDate(0, 0, 1) // the day itself is within
		case len(words) != 1:
			return nil, fmt.Errorf("line %d: write user[:check] [until DATE] # reason", n)
		}
		all = append(all, rule)
	}
	return all, lines.Err()
}

// Rest are the findings that are not ignored at that time.
func (g Ignored) Rest(findings []Finding, now time.Time) []Finding {
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return slices.ContainsFunc(g, func(rule ignoreRule) bool {
			return rule.user == f.User && (rule.check == "" || rule.check == f.Check) && (rule.until.IsZero() || now.Before(rule.until))
		})
	})
}
