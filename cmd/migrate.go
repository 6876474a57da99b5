package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/fault"
)

// migrateCmd moves keys and stored TOTP seeds from one backend to another.
type migrateCmd struct {
	Profiles     []string `arg:"" optional:"" name:"profile" help:"Profiles (default all)."`
	From         string   `required:"" enum:"${backends}" placeholder:"NAME" help:"Backend that holds the keys: ${enum}."`
	To           string   `required:"" enum:"${backends}" placeholder:"NAME" help:"Backend to copy them to."`
	DryRun       bool     `help:"Say what would be copied; open no key and write nothing."`
	Overwrite    bool     `help:"Replace other keys that are stored there under the same names."`
	DeleteSource bool     `help:"Delete each key from its old backend once its copy was read back and compared."`
}

// Run copies, proves and records each key before the old one may go.
func (c *migrateCmd) Run(ctx context.Context, a *app) error {
	if c.From == c.To {
		return usageError("--from and --to name the same backend", "")
	}
	from, err := a.vaults().Open(c.From)
	if err != nil {
		return err
	}
	to, err := a.vaults().Open(c.To)
	if err != nil {
		return err
	}
	o := vault.MigrateOptions{
		DryRun: c.DryRun, Overwrite: c.Overwrite, DeleteSource: c.DeleteSource,
		Put: func(ctx context.Context, name string, key accesskey.Key, card vault.Card) (vault.Card, error) {
			return a.vaults().storeKey(ctx, to, name, key, card)
		},
		Copied: func(name string) error { return a.vaults().Note(name, to.Backend()) },
	}
	if len(c.Profiles) > 0 {
		o.Profiles = slices.Compact(slices.Sorted(slices.Values(c.Profiles)))
	}
	moves, err := vault.Migrate(ctx, from, to, o)
	var lines []string
	failed := &failures{of: len(moves)}
	for _, m := range moves {
		if err != nil && errors.Is(m.Err, err) {
			continue // what ended the run is said last
		}
		if m.Err != nil {
			failed.add(a, fmt.Sprintf("%s %s", m.Kind, quote(m.Name)), m.Err)
			continue
		}
		lines = append(lines, fmt.Sprintf("%s\t%s %s\t%s → %s", c.did(m), m.Kind, orID(m), from.Backend(), to.Backend()))
	}
	if perr := a.printLines(lines); perr != nil {
		return perr
	}
	if err != nil {
		return err
	}
	if len(moves) == 0 {
		a.say(fmt.Sprintf("the %s vault holds no keys", from.Backend()))
	}
	return failed.err("moved", "to replace what is stored there: --overwrite")
}

// did is one word for what became of an item.
func (c *migrateCmd) did(m vault.Move) string {
	switch {
	case m.Removed:
		return "moved"
	case c.DryRun && m.State == vault.MoveThere:
		return "is there"
	case m.State == vault.MoveThere:
		return "was there"
	case m.State == vault.MoveWould:
		return "would copy"
	}
	return string(m.State)
}

func orID(m vault.Move) string {
	if m.KeyID != "" {
		return m.Name + " (" + m.KeyID + ")"
	}
	return m.Name
}

// failures gathers what went wrong with some of many items, says each at
// once and gives one error for them all.
type failures struct {
	of   int
	errs []error
}

func (f *failures) add(a *app, what string, err error) {
	a.say(what + ": " + err.Error())
	f.errs = append(f.errs, err)
}

// err is nil if nothing failed. Its exit code and hint are those of the
// first failure; names that are taken are a matter of usage and come last.
func (f *failures) err(done, takenHint string) error {
	if len(f.errs) == 0 {
		return nil
	}
	hint := ""
	class, first := errUsage, true
	for _, err := range f.errs {
		if errors.Is(err, vault.ErrExists) {
			hint = takenHint
		} else if first {
			class, first = err, false
		}
	}
	hint = cmp.Or(fault.Hint(class), hint)
	return fault.New(fmt.Sprintf("%d of %d %s could not be %s", len(f.errs), f.of, plural(f.of, "item"), done), hint, class)
}
