package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
)

// listCmd shows profiles, whose key they use, and live sessions. It opens
// cards and sessions, never a long-lived key.
type listCmd struct {
	JSON        bool `name:"json" xor:"form" help:"Print JSON."`
	Profiles    bool `xor:"form" help:"Print only the profiles' names."`
	Credentials bool `xor:"form" help:"Print only the names of profiles that hold a key."`
	Sessions    bool `xor:"form" help:"Print only live sessions: profile, kind and expiration, with tabs between."`
}

// listing is the JSON of `list --json`.
type listing struct {
	Backend  string        `json:"backend"`
	Profiles []listProfile `json:"profiles"`
}

type listProfile struct {
	Name        string        `json:"name"`
	Credentials *string       `json:"credentials"` // profile whose key is used; null: none
	MFASerial   *string       `json:"mfa_serial"`
	RoleARN     *string       `json:"role_arn"`
	Sessions    []listSession `json:"sessions"`
}

type listSession struct {
	Kind       string  `json:"kind"`
	Profile    string  `json:"profile"`
	RoleARN    *string `json:"role_arn"`
	MFASerial  *string `json:"mfa_serial"`
	Expiration string  `json:"expiration"`
}

// Run gathers what the form needs, and no more: names alone open no vault.
func (c *listCmd) Run(ctx context.Context, a *app) error {
	config, err := a.aws.config()
	if err != nil {
		return err
	}
	if c.Profiles {
		names := slices.Concat(config.Names(), a.vaults().Names())
		typed := a.aws.typedNames(config)
		names = slices.DeleteFunc(names, func(name string) bool { return typed[name] != "" })
		slices.Sort(names)
		return a.printLines(slices.Compact(names))
	}
	if c.Credentials && !isTerminal(a.streams.Out) {
		all, err := a.vaults().All(ctx)
		if err != nil {
			return err
		}
		return errors.Join(a.printLines(slices.Sorted(maps.Keys(all.Holders))), all.Lost)
	}
	all, err := a.vaults().AllCards(ctx)
	if err != nil {
		return err
	}
	if c.Credentials {
		var rows [][]string
		for _, name := range slices.Sorted(maps.Keys(all.Cards)) {
			rows = append(rows, []string{name, ageWords(all.Cards[name], a.now())})
		}
		return errors.Join(a.printTable(rows), all.Lost)
	}
	damage := all.Lost
	var entries []session.Entry
	for _, v := range all.Vaults {
		found, errs := a.vaults().sessions(v).List(ctx)
		damage = errors.Join(append(errs, damage)...)
		entries = append(entries, found...)
	}
	l := c.build(a, all.Backend, config, all.Cards, entries)
	switch {
	case c.JSON:
		err = writeJSON(a.streams.Out, l, true)
	case c.Sessions:
		err = a.printLines(l.sessionLines())
	default:
		err = l.table(a)
	}
	return errors.Join(err, damage)
}

// build joins the config's profiles, the stored keys and the live sessions.
func (c *listCmd) build(a *app, backend string, config *profile.Config, cards map[string]vault.Card, entries []session.Entry) listing {
	names := map[string]bool{}
	for _, name := range config.Names() {
		names[name] = true
	}
	for name := range cards {
		names[name] = true
	}
	typed := a.aws.typedNames(config)
	for helper := range typed {
		delete(names, helper)
	}
	byProfile := map[string][]listSession{}
	for _, e := range entries {
		i := e.Info
		i.Profile = cmp.Or(typed[i.Profile], i.Profile)
		names[i.Profile] = true
		byProfile[i.Profile] = append(byProfile[i.Profile], listSession{i.Kind, i.Profile, orNull(i.RoleARN), orNull(i.MFASerial), child.FormatExpiration(i.Expiration)})
	}
	if what, _ := a.aws.absent(); what != "" {
		a.warn(what)
	}
	if err := config.Fatal(); err != nil { // once, not for every profile
		a.warn(err.Error())
	}
	l := listing{Backend: backend, Profiles: []listProfile{}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		row := listProfile{Name: name, Sessions: byProfile[name]}
		if _, holds := cards[name]; !holds && !config.Exists(name) {
			l.Profiles = append(l.Profiles, row.sorted()) // only its sessions are left
			continue
		}
		r, err := config.Resolve(name, profile.ResolveOptions{
			HoldsKey:    func(name string) (bool, error) { _, ok := cards[name]; return ok, nil },
			Getenv:      a.getenv,
			Looking:     true,
			SelfProfile: selfProfile,
		})
		if err == nil {
			row.describe(r, cards)
			if r.Profile != name && typed[r.Profile] == "" {
				row.Sessions = append(row.Sessions, byProfile[r.Profile]...)
			}
		} else {
			if config.Exists(name) && config.Fatal() == nil {
				a.warn(fmt.Sprintf("profile %s: %v", quote(name), err))
			}
			if _, ok := cards[name]; ok { // it is there, whatever the config says
				row.Credentials = &name
			}
		}
		l.Profiles = append(l.Profiles, row.sorted())
	}
	return l
}

// sorted has the sessions in the order of their ends.
func (row listProfile) sorted() listProfile {
	slices.SortFunc(row.Sessions, func(x, y listSession) int { return strings.Compare(x.Expiration+x.Kind, y.Expiration+y.Kind) })
	if row.Sessions == nil {
		row.Sessions = []listSession{}
	}
	return row
}

func (row *listProfile) describe(r *profile.Resolved, cards map[string]vault.Card) {
	serial := r.Source.MFASerial
	if r.Source.Kind == profile.SourceKey {
		row.Credentials = &r.Source.Profile
		if serial == "" {
			serial = cards[r.Source.Profile].MFASerial
		}
	}
	if n := len(r.Roles); n > 0 {
		row.RoleARN = orNull(r.Roles[n-1].RoleARN)
		if own := r.Roles[n-1].MFASerial; own != "" {
			serial = own
		}
	}
	row.MFASerial = orNull(serial)
}

func (l listing) sessionLines() []string {
	var lines []string
	seen := map[string]bool{}
	for _, p := range l.Profiles {
		for _, s := range p.Sessions {
			line := s.Profile + "\t" + s.Kind + "\t" + s.Expiration
			if p.Name == s.Profile || !seen[line] {
				lines = append(lines, line)
			}
			seen[line] = true
		}
	}
	return slices.Compact(lines)
}

// table is for people: one line a profile, sessions with the time they have left.
func (l listing) table(a *app) error {
	if len(l.Profiles) == 0 {
		a.say("no profiles and no keys yet; to begin: groat add default")
		return nil
	}
	rows := [][]string{{"PROFILE", "KEY", "ROLE", "SESSIONS"}}
	for _, p := range l.Profiles {
		var live []string
		for _, s := range p.Sessions {
			live = append(live, s.Kind+" "+left(s.Expiration, a.now()))
		}
		rows = append(rows, []string{p.Name, orDash(p.Credentials), roleWords(p.RoleARN), strings.Join(live, ", ")})
	}
	return a.printTable(rows)
}

// left is the time until an RFC 3339 instant, in whole minutes.
func left(expiration string, now time.Time) string {
	t, err := time.Parse(time.RFC3339, expiration)
	if err != nil {
		return "(no end)"
	}
	d := t.Sub(now).Truncate(time.Minute)
	if d < time.Minute {
		return "(<1m)"
	}
	return "(" + provider.ShortDuration(d) + ")"
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// roleWords is a role's ARN as people read it: role/dev (111111111111).
func roleWords(arn *string) string {
	if arn == nil {
		return "-"
	}
	parts := strings.SplitN(*arn, ":", 6)
	if len(parts) < 6 {
		return *arn
	}
	return parts[5] + " (" + parts[4] + ")"
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
