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
	if c.All == (len(c.Profiles) > 0) {
		return usageError("name profiles, or --all", "run: groat remove --help")
	}
	vaults, err := a.openVaults()
	if err != nil {
		return err
	}
	holders, err := keyHolders(ctx, vaults)
	if err != nil {
		return err
	}
	names := c.Profiles
	if c.All {
		names = slices.Sorted(maps.Keys(holders))
	}
	if c.SessionsOnly {
		return c.dropSessions(ctx, a, vaults, holders, names)
	}
	for _, name := range names {
		if _, ok := holders[name]; !ok {
			return a.noKey(vaults[0], name, vault.ErrNotFound)
		}
	}
	if err := c.confirm(ctx, a, names); err != nil {
		return err
	}
	errs := []error{c.dropSessions(ctx, a, vaults, holders, names)}
	for _, name := range names {
		v := holders[name]
		if err := vault.RemoveKey(ctx, v, name); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := vault.Forget(a.paths.state, name); err != nil {
			a.warn("could not forget where the key lay: " + err.Error())
		}
		a.say(fmt.Sprintf("removed the access key of profile %s from the %s vault", quote(name), v.Backend()))
	}
	return errors.Join(errs...)
}

// keyHolders maps each profile that holds a key to its vault.
func keyHolders(ctx context.Context, vaults []vault.Vault) (map[string]vault.Vault, error) {
	holders := map[string]vault.Vault{}
	for _, v := range vaults {
		names, err := v.Names(ctx, vault.KindKey)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, ok := holders[name]; !ok {
				holders[name] = v
			}
		}
	}
	return holders, nil
}

func (c *removeCmd) confirm(ctx context.Context, a *app, names []string) error {
	if c.Force || len(names) == 0 {
		return nil
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	if err := a.ui().CanConfirm(); err != nil {
		return usageError("nobody can be asked whether to delete: "+err.Error(), "use --force")
	}
	ok, err := a.ui().Confirm(ctx, terminal.Question{Title: "Delete the access key and all sessions of " + strings.Join(quoted, ", ") + "?"})
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("nothing was deleted")
	}
	return nil
}

// dropSessions removes what was minted for the profiles and from their keys.
func (c *removeCmd) dropSessions(ctx context.Context, a *app, vaults []vault.Vault, holders map[string]vault.Vault, names []string) error {
	minted := map[string]bool{}
	for _, name := range names {
		minted[name] = true
		if target, err := c.target(a, name, holders); err != nil {
			return err
		} else if target != "" {
			minted[target] = true
		}
	}
	total := 0
	var errs []error
	for _, v := range vaults {
		n, err := a.sessions(v).Remove(ctx, func(e session.Entry) bool {
			return c.All || minted[e.Info.Profile] || minted[e.Info.KeyProfile]
		})
		total += n
		errs = append(errs, err)
	}
	errs = append(errs, a.dropExported(ctx, func(name string) bool { return c.All || minted[name] }))
	a.say(fmt.Sprintf("dropped %d %s", total, plural(total, "session")))
	return errors.Join(errs...)
}

// target is the profile for which sessions are minted when name is used
// (another one where name is an alias). A name that is neither in the config
// nor a key's is an error, so that a slip of the finger is noticed.
func (c *removeCmd) target(a *app, name string, holders map[string]vault.Vault) (string, error) {
	config, err := a.awsConfig()
	if err != nil {
		return "", err
	}
	_, holds := holders[name]
	r, err := config.Resolve(name, profile.ResolveOptions{
		HoldsKey:    func(name string) (bool, error) { _, ok := holders[name]; return ok, nil },
		Getenv:      a.getenv,
		SelfProfile: a.selfProfile,
	})
	switch {
	case err == nil:
		return r.Profile, nil
	case holds || config.Exists(name):
		return "", nil // broken in the config; its sessions can still be dropped by name
	}
	return "", err
}

// sessions is the cache over a vault, for looking and dropping.
func (a *app) sessions(v vault.Vault) *session.Cache {
	return &session.Cache{Store: sessionStore(v), LockDir: a.lockDir(v), Now: a.now, Warn: a.warn, Debugf: a.debugf}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
