package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/fault"
)

const sourcePassphraseVariable = "GROAT_SOURCE_FILE_PASSPHRASE"

// awsVault is a backend of aws-vault with keys in it.
type awsVault struct {
	*vault.AWSVault
	names []string
}

func (s *awsVault) place() string { return "aws-vault (" + s.Backend() + ")" }
func (s *awsVault) close() error  { return s.Close() }

func (s *awsVault) profiles(context.Context) ([]string, error) { return s.names, nil }

func (s *awsVault) peek(string) (accesskey.Key, bool) { return accesskey.Key{}, false }

func (s *awsVault) key(ctx context.Context, name string) (accesskey.Key, error) {
	k, err := s.Key(ctx, name)
	return accesskey.Key{ID: k.ID, Secret: k.Secret}, err
}

func (s *awsVault) delete(ctx context.Context, keys map[string]accesskey.Key) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		errs = append(errs, s.Remove(ctx, name))
	}
	return errors.Join(errs...)
}

func (s *awsVault) preview(_ context.Context, names []string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "would delete\t%s\t%s\n", name, s.place())
	}
	return b.String(), nil
}

// openAWSVault opens the backend that is named, by us or in aws-vault's own
// variables; else the one backend that holds keys of aws-vault's. Where
// several do, somebody has to choose.
func (c *importCmd) openAWSVault(ctx context.Context, a *app) (keySource, error) {
	backend := c.SourceBackend
	if backend == autoBackend && c.SourceDir != "" {
		backend = "file"
	}
	if v := a.getenv("AWS_VAULT_BACKEND"); backend == autoBackend && v != "" {
		if !slices.Contains(vault.AllBackends, v) {
			return nil, usageError(fmt.Sprintf("AWS_VAULT_BACKEND=%q is not a backend that can be read", v), "name it with --source-backend")
		}
		backend = v
	}
	if backend != autoBackend {
		return c.openBackend(ctx, a, backend)
	}
	var found []*awsVault
	for _, backend := range vault.AWSVaultBackends(c.sourceConfig(a, autoBackend)) {
		s, err := c.openBackend(ctx, a, backend)
		if err != nil || len(s.names) == 0 {
			a.debugf("aws-vault's %s: %v", backend, err)
			if err == nil {
				_ = s.close()
			}
			continue
		}
		found = append(found, s)
	}
	var names []string
	for _, s := range found {
		names = append(names, s.Backend())
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fault.New("no keys of aws-vault's were found", "name its backend with --source-backend, or its directory with --source-dir", vault.ErrNotFound)
	}
	for _, s := range found {
		_ = s.close()
	}
	return nil, usageError("aws-vault has keys in several backends: "+strings.Join(names, ", "), "name one with --source-backend")
}

func (c *importCmd) openBackend(ctx context.Context, a *app, backend string) (*awsVault, error) {
	v, err := vault.OpenAWSVault(c.sourceConfig(a, backend))
	if err != nil {
		return nil, err
	}
	names, err := v.Names(ctx)
	if err != nil {
		_ = v.Close()
		return nil, err
	}
	s := &awsVault{v, names}
	if backend == "pass" && c.passPrefix(a) == "" && len(c.Profiles) == 0 {
		// The password store holds other things too: open only what is a profile.
		config, err := a.aws.config()
		if err != nil {
			return nil, err
		}
		s.names = slices.DeleteFunc(names, func(n string) bool { return !config.Exists(n) })
	}
	return s, nil
}

// sourceConfig is where aws-vault would look, by its own variables and ours.
func (c *importCmd) sourceConfig(a *app, backend string) vault.Config {
	either := func(flag, variable string) string {
		if flag != "" {
			return flag
		}
		return a.getenv(variable)
	}
	dir := either(c.SourceDir, "AWS_VAULT_FILE_DIR")
	if dir == "" {
		dir = filepath.Join("~", ".awsvault", "keys")
	}
	return vault.Config{
		Backend:                 backend,
		FileDir:                 expandHome(dir, a.paths.home),
		StateDir:                a.paths.state,
		Passphrase:              c.passphrase(a),
		Keychain:                either(c.SourceKeychain, "AWS_VAULT_KEYCHAIN_NAME"),
		SecretServiceCollection: either(c.SourceCollection, "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME"),
		PassDir:                 either(c.SourcePassDir, "AWS_VAULT_PASS_PASSWORD_STORE_DIR"),
		PassCmd:                 a.getenv("AWS_VAULT_PASS_CMD"),
		PassPrefix:              c.passPrefix(a),
		NoInput:                 a.cli.NoInput,
		Environ:                 child.Helper(a.environ),
		Warn:                    a.warn,
		Now:                     a.now,
	}
}

func (c *importCmd) passPrefix(a *app) string {
	if c.SourcePassPrefix != "" {
		return c.SourcePassPrefix
	}
	return a.getenv("AWS_VAULT_PASS_PREFIX")
}

// passphrase answers aws-vault's file backend, from the same kinds of source
// as our own.
func (c *importCmd) passphrase(a *app) vault.PassphraseFunc {
	return func(ctx context.Context, req vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
		switch {
		case c.SourcePassphraseFile != "":
			return a.passphrases.fromFile(ctx, c.SourcePassphraseFile)
		case c.SourcePassphraseCommand != "":
			return a.passphrases.fromCommand(ctx, c.SourcePassphraseCommand)
		}
		for _, name := range []string{sourcePassphraseVariable, "AWS_VAULT_FILE_PASSPHRASE"} {
			if value, given := a.lookupEnv(name); given {
				return []byte(value), vault.FromEnvironment, nil
			}
		}
		c.asked = true
		q := terminal.Question{Title: "Passphrase of aws-vault's files", Details: []terminal.Detail{{Name: "directory", Value: req.Path}}}
		if req.Attempt > 1 {
			q.Again, q.Reason = true, triesLeft("wrong passphrase, or a damaged item", req)
		}
		p, err := a.prompts.ui().Secret(ctx, q)
		if err != nil && !errors.Is(err, terminal.ErrInterrupted) {
			err = fault.New("aws-vault's files are locked: "+err.Error(), "run it in a terminal, or set "+sourcePassphraseVariable, vault.ErrLocked)
		}
		return p, vault.FromPrompt, err
	}
}
