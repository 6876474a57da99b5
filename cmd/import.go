package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"groat/cmd/terminal"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/accesskey"
)

// importCmd moves long-lived keys from another place into the vault.
type importCmd struct {
	Profiles     []string `arg:"" optional:"" name:"profile" help:"Profiles (default all that hold a key there)."`
	From         string   `enum:",credentials-file,aws-vault,aws-login" default:"" placeholder:"PLACE" help:"Where the keys are: credentials-file or aws-vault; aws-login takes over sign-ins of the AWS CLI (default the credentials file, for profiles with a key there)."`
	SourceDir    string   `placeholder:"DIR" help:"Directory of the credentials file, of aws-vault's file backend, or of the AWS CLI's sign-ins."`
	DryRun       bool     `help:"Say what would be imported; open no item and write nothing."`
	Overwrite    bool     `help:"Replace other keys that are stored under the same names."`
	DeleteSource bool     `help:"Delete each key where it was once its copy was read back and compared."`

	SourceBackend           string `setting:"" default:"auto" enum:"auto,${backends}" placeholder:"NAME" help:"aws-vault's backend: ${enum}."`
	SourceKeychain          string `setting:"" placeholder:"NAME" help:"aws-vault's keychain (default aws-vault)."`
	SourceCollection        string `setting:"" name:"source-secret-service-collection" placeholder:"NAME" help:"aws-vault's Secret Service collection (default awsvault)."`
	SourcePassDir           string `setting:"" placeholder:"DIR" help:"aws-vault's password store."`
	SourcePassPrefix        string `setting:"" placeholder:"PREFIX" help:"aws-vault's folder in the password store."`
	SourcePassphraseFile    string `setting:"" name:"source-file-passphrase-file" placeholder:"FILE" help:"Read the passphrase of aws-vault's file backend from FILE (else GROAT_SOURCE_FILE_PASSPHRASE or AWS_VAULT_FILE_PASSPHRASE, else it is asked)."`
	SourcePassphraseCommand string `setting:"" name:"source-file-passphrase-command" placeholder:"CMD" help:"Take that passphrase from CMD's output."`

	asked bool // a person was asked for it
}

// keySource is a place that keys are imported from.
type keySource interface {
	// place names it for people.
	place() string
	// profiles lists those that hold a long-lived key; nothing is opened.
	profiles(ctx context.Context) ([]string, error)
	// peek is a profile's key where that opens nothing.
	peek(name string) (key accesskey.Key, ok bool)
	key(ctx context.Context, name string) (accesskey.Key, error)
	// delete removes the keys that were imported, and only as they were read.
	delete(ctx context.Context, keys map[string]accesskey.Key) error
	// preview is the change that delete would make, keys masked; "" if there
	// is nothing to show.
	preview(ctx context.Context, names []string) (string, error)
	close() error
}

// Run imports each key, reads it back, records where it lies, and only then
// deletes the originals.
func (c *importCmd) Run(ctx context.Context, a *app) error {
	if c.From == "aws-login" {
		return c.signIns(ctx, a)
	}
	source, err := c.open(ctx, a)
	if err != nil {
		return err
	}
	defer func() { _ = source.close() }()
	names, err := source.profiles(ctx)
	if err != nil {
		return err
	}
	failed := &failures{}
	if len(c.Profiles) > 0 {
		wanted := slices.Compact(slices.Sorted(slices.Values(c.Profiles)))
		for _, name := range wanted {
			if !slices.Contains(names, name) {
				failed.add(a, quote(name), fmt.Errorf("%w: %s has no long-lived key of this name", vault.ErrNotFound, source.place()))
			}
		}
		failed.of += len(failed.errs)
		names = slices.DeleteFunc(wanted, func(n string) bool { return !slices.Contains(names, n) })
	}
	failed.of += len(names)
	if failed.of == 0 {
		a.say(source.place() + " holds no long-lived keys")
		return nil
	}
	imported := map[string]accesskey.Key{}
	var lines []string
	for _, name := range names {
		line, key, err := c.one(ctx, a, source, name)
		if err != nil && (ctx.Err() != nil || c.stops(err)) {
			return errors.Join(a.printLines(lines), err)
		}
		if err != nil {
			failed.add(a, quote(name), err)
			continue
		}
		imported[name] = key
		lines = append(lines, line)
	}
	if err := a.printLines(lines); err != nil {
		return err
	}
	if c.DeleteSource && len(imported) > 0 {
		if err := c.delete(ctx, a, source, names, imported); err != nil {
			return err
		}
	}
	return failed.err("imported", "to replace what is stored: --overwrite")
}

// stops reports whether the next key would meet the same error, or the same
// question: a vault does not open, or somebody has had enough. An item of
// aws-vault's that does not open may be damaged by itself.
func (c *importCmd) stops(err error) bool {
	var e *vault.Error
	switch {
	case errors.Is(err, terminal.ErrInterrupted), errors.Is(err, vault.ErrLocked):
		return true
	case !errors.As(err, &e):
		return false
	case strings.HasPrefix(e.Backend, "aws-vault"):
		return c.asked && errors.Is(err, vault.ErrPassphrase)
	}
	return !vault.OfItem(err)
}

// one imports one key and proves it by reading it back.
func (c *importCmd) one(ctx context.Context, a *app, source keySource, name string) (line string, key accesskey.Key, err error) {
	if err := checkProfileName(name); err != nil {
		return "", key, err
	}
	v, err := a.vaults().Place(name)
	if err != nil {
		return "", key, err
	}
	card, err := vault.GetCard(ctx, v, name)
	there := err == nil
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return "", key, err
	}
	if c.DryRun {
		if key, ok := source.peek(name); ok {
			if err := key.Check(""); err != nil {
				return "", key, err
			}
			if there && card.KeyID != key.ID && !c.Overwrite {
				return "", key, fmt.Errorf("%w: access key %s in the %s vault", vault.ErrExists, card.KeyID, v.Backend())
			}
			there = there && card.KeyID == key.ID
		}
		if there {
			return fmt.Sprintf("stored\t%s\taccess key %s is in the %s vault", name, card.KeyID, v.Backend()), key, nil
		}
		return fmt.Sprintf("would import\t%s\t%s → %s", name, source.place(), v.Backend()), key, nil
	}
	if key, err = source.key(ctx, name); err != nil {
		return "", key, err
	}
	if err := key.Check(""); err != nil {
		return "", key, err
	}
	if there {
		switch same, err := holdsExactly(ctx, v, name, key); {
		case err != nil && !c.Overwrite:
			return "", key, err
		case same:
			return fmt.Sprintf("was there\t%s (%s)\t%s", name, key.ID, v.Backend()), key, a.vaults().Note(name, v.Backend())
		case !c.Overwrite:
			return "", key, fmt.Errorf("%w: access key %s in the %s vault", vault.ErrExists, card.KeyID, v.Backend())
		}
	}
	if _, err := a.vaults().storeKey(ctx, v, name, key, vault.Card{}); err != nil {
		return "", key, err
	}
	if same, err := holdsExactly(ctx, v, name, key); !same {
		return "", key, errors.Join(fmt.Errorf("%w: what the vault gives back is not the key that was stored", vault.ErrCorrupt), err)
	}
	if err := a.vaults().Note(name, v.Backend()); err != nil {
		return "", key, fmt.Errorf("could not record which vault holds the key: %w", err)
	}
	return fmt.Sprintf("imported\t%s (%s)\t%s → %s", name, key.ID, source.place(), v.Backend()), key, nil
}

func holdsExactly(ctx context.Context, v vault.Vault, name string, key accesskey.Key) (bool, error) {
	got, err := vault.GetKey(ctx, v, name)
	return err == nil && got.Same(key), err
}

func (c *importCmd) delete(ctx context.Context, a *app, source keySource, names []string, imported map[string]accesskey.Key) error {
	if c.DryRun {
		change, err := source.preview(ctx, names)
		if err != nil {
			return err
		}
		return a.printText(change)
	}
	if err := source.delete(ctx, imported); err != nil {
		return fmt.Errorf("the keys are in the vault, but were not deleted in %s: %w", source.place(), err)
	}
	a.say(fmt.Sprintf("deleted %d %s in %s", len(imported), plural(len(imported), "key"), source.place()))
	return nil
}

// open finds the place that keys come from.
func (c *importCmd) open(ctx context.Context, a *app) (keySource, error) {
	file := c.openCredentialsFile(a)
	switch c.From {
	case "aws-vault":
		return c.openAWSVault(ctx, a)
	case "":
		if err := c.checkDefaultPlace(file.place()); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// checkDefaultPlace refuses to guess: without --from, every profile is named
// and has a key in the credentials file.
func (c *importCmd) checkDefaultPlace(place string) error {
	const hint = "say where the keys are: `groat import --from credentials-file` or `groat import --from aws-vault`"
	if len(c.Profiles) == 0 {
		return usageError("no profile and no place to import from were named", hint)
	}
	file, err := profile.Load(profile.LoadOptions{CredentialsFile: place})
	if err != nil {
		return err
	}
	for _, name := range c.Profiles {
		if file.Value(name, keyLines[0]) == "" {
			return usageError(fmt.Sprintf("profile %s has no access key in %s", quote(name), place), hint)
		}
	}
	return nil
}
