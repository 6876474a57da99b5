package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"groat/cmd/terminal"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// removeCmd deletes keys with all that was minted from them, or only what
// was minted.
type removeCmd struct {
	Profiles     []string `arg:"" optional:"" name:"profile" help:"Profiles."`
	SessionsOnly bool     `help:"Drop sessions and keep the keys; never asks."`
	All          bool     `help:"All profiles."`
	Force        bool     `short:"f" help:"Do not ask."`
}

// clearCmd is remove --sessions-only; without a profile it drops all sessions.
type clearCmd struct {
	Profiles []string `arg:"" optional:"" name:"profile" help:"Profiles (default all)."`
}

// Run drops sessions.
func (c *clearCmd) Run(ctx context.Context, a *app) error {
	r := removeCmd{Profiles: c.Profiles, SessionsOnly: true, All: len(c.Profiles) == 0}
	return r.Run(ctx, a)
}

// Run goes on past what cannot be deleted, reports it and fails at the end.
func (c *removeCmd) Run(ctx context.Context, a *app) error {
	switch {
	case c.All && len(c.Profiles) > 0:
		return usageError("--all and the names of profiles cannot be used together", "leave one of them out")
	case !c.All && len(c.Profiles) == 0:
		return usageError("no profile named", "name profiles, or give --all")
	}
	all, err := a.vaults().All(ctx)
	if err != nil {
		return err
	}
	names := c.Profiles
	if c.All {
		names = slices.Collect(maps.Keys(all.Holders))
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if c.SessionsOnly {
		return c.dropSessions(ctx, a, all, names)
	}
	for _, name := range names {
		if _, ok := all.Holders[name]; !ok {
			if all.Lost != nil {
				return all.Lost // there it may be
			}
			return c.nothingToRemove(a, name, all)
		}
	}
	if err := c.confirm(ctx, a, names); err != nil {
		return err
	}
	errs := []error{c.dropSessions(ctx, a, all, names)}
	for _, name := range names {
		errs = append(errs, removeKey(ctx, a, name, all.Holders[name]))
	}
	return errors.Join(errs...)
}

// nothingToRemove says of a profile without a key what it is: a slip of the
// finger, a key in another store, or a profile that has sessions only.
func (c *removeCmd) nothingToRemove(a *app, name string, all *vault.Stock) error {
	if a.vaults().Elsewhere(name) != "" {
		return a.vaults().noKey(name, vault.ErrNotFound)
	}
	if _, err := c.resolve(a, name, all); err != nil {
		return err
	}
	return fault.New(fmt.Sprintf("profile %s holds no access key in the %s vault", quote(name), all.Backend),
		"to drop what was minted for it: groat remove --sessions-only "+files.Word(name), vault.ErrNotFound)
}

// removeKey deletes a key wherever it lies: a copy that stayed behind in
// another vault would be the key from then on.
func removeKey(ctx context.Context, a *app, name string, holders []vault.Vault) error {
	for _, v := range slices.Backward(holders) { // the recorded one last
		if err := vault.RemoveKey(ctx, v, name); err != nil {
			return err
		}
		if err := a.vaults().Forget(name, v.Backend()); err != nil {
			a.warn("could not delete the record of the key's vault: " + err.Error())
		}
		a.say(fmt.Sprintf("removed the access key of profile %s from the %s vault", quote(name), v.Backend()))
	}
	return nil
}

func (c *removeCmd) confirm(ctx context.Context, a *app, names []string) error {
	if c.Force || len(names) == 0 {
		return nil
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	if err := a.prompts.ui().CanConfirm(); err != nil {
		return usageError("could not ask whether to delete: "+err.Error(), "to delete without a question: give --force")
	}
	ok, err := a.prompts.ui().Confirm(ctx, terminal.Question{Title: "Delete the access key and all sessions of " + strings.Join(quoted, ", ") + "?"})
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("nothing was deleted")
	}
	return nil
}

// dropSessions removes what was minted for the profiles and from their keys.
// That a vault is out of reach is a failure where it may hold some of it.
func (c *removeCmd) dropSessions(ctx context.Context, a *app, all *vault.Stock, names []string) error {
	minted, unsure := map[string]bool{}, c.All
	for _, name := range names {
		minted[name] = true
		r, err := c.resolve(a, name, all)
		if err != nil && c.hasSessions(ctx, a, all.Vaults, name) { // left by a profile that is gone
			r, err = nil, nil
		}
		if err != nil && all.Lost != nil {
			return all.Lost // there it may be known
		}
		if err != nil {
			return err
		}
		if r == nil {
			unsure = unsure || len(all.Holders[name]) == 0
			continue
		}
		minted[r.Profile] = true
		unsure = unsure || len(all.Holders[r.Source.Profile]) == 0
	}
	total := 0
	var errs []error
	for _, v := range all.Vaults {
		match := func(e session.Entry) bool { return minted[e.Info.Profile] || minted[e.Info.KeyProfile] }
		if c.All {
			match = nil
		}
		n, err := a.vaults().sessions(v).Remove(ctx, match)
		total += n
		errs = append(errs, err)
	}
	errs = append(errs, a.aws.dropExported(ctx, func(name string) bool { return c.All || minted[name] }))
	if all.Lost != nil && unsure {
		errs = append(errs, all.Lost)
	} else if all.Lost != nil {
		a.warn(all.Lost.Error())
	}
	a.say(fmt.Sprintf("dropped %d %s", total, plural(total, "session")))
	return errors.Join(errs...)
}

// resolve finds the profile for which sessions are minted when name is used
// (another one where name is an alias), and whose key. A name that is neither
// in the config nor a key's is an error, so that a slip of the finger is
// noticed; one that is broken in the config is nil: its sessions can still be
// dropped by name.
func (c *removeCmd) resolve(a *app, name string, all *vault.Stock) (*profile.Resolved, error) {
	config, err := a.aws.config()
	if err != nil {
		return nil, err
	}
	r, err := config.Resolve(name, profile.ResolveOptions{
		HoldsKey:    func(name string) (bool, error) { return len(all.Holders[name]) > 0, nil },
		KeyNames:    func() []string { return slices.Sorted(maps.Keys(all.Holders)) },
		Getenv:      a.getenv,
		Looking:     true,
		SelfProfile: selfProfile,
	})
	if err != nil && (len(all.Holders[name]) > 0 || config.Exists(name)) {
		return nil, nil //nolint:nilnil // see above
	}
	return r, err
}

// hasSessions reports whether anything is kept that was minted for the profile.
func (*removeCmd) hasSessions(ctx context.Context, a *app, vaults []vault.Vault, name string) bool {
	for _, v := range vaults {
		entries, _ := a.vaults().sessions(v).List(ctx) // damaged ones have no profile
		if slices.ContainsFunc(entries, func(e session.Entry) bool { return e.Info.Profile == name }) {
			return true
		}
	}
	return false
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
