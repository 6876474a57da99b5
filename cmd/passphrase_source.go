package cmd

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

const (
	passphraseVariable  = "GROAT_FILE_PASSPHRASE"
	maxPassphraseSize   = 64 << 10 // bytes; a passphrase file is no archive
	passphraseTimeLimit = 50 * time.Second
)

// passphrases is where the file vault's passphrase comes from.
type passphrases struct {
	*prompts
	paths *paths
}

// answer answers the file vault: from --file-passphrase-file or
// --file-passphrase-command on the command line, GROAT_FILE_PASSPHRASE (set
// but empty is an answer), the same two settings from the environment or
// config.json, and last from a person.
func (p *passphrases) answer(ctx context.Context, req vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
	p.heedSignals()
	switch way, what := p.way(); way {
	case vault.FromFile:
		return p.fromFile(ctx, what)
	case vault.FromCommand:
		return p.fromCommand(ctx, what)
	case vault.FromEnvironment:
		return []byte(what), vault.FromEnvironment, nil
	}
	return p.passphraseFromPerson(ctx, req)
}

// ready is the passphrase where it lies ready: in the variable, or
// in a file that can be read twice.
func (p *passphrases) ready() ([]byte, bool) {
	switch way, what := p.way(); way {
	case vault.FromEnvironment:
		return []byte(what), true
	case vault.FromFile:
		passphrase, err := readPassphrase(expandHome(what, p.paths.home), files.Steering)
		return passphrase, err == nil
	}
	return nil, false
}

// atHand is the passphrase where having it asks nobody and runs
// nothing.
func (p *passphrases) atHand(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
	if passphrase, ok := p.ready(); ok {
		return passphrase, vault.FromEnvironment, nil
	}
	return nil, "", vault.ErrLocked
}

// way is where the passphrase comes from, with the file's name, the
// command or the variable's value.
func (p *passphrases) way() (way vault.PassphraseOrigin, what string) {
	file, command := p.flags.FilePassphraseFile, p.flags.FilePassphraseCommand
	value, given := p.lookupEnv(passphraseVariable)
	onLine := func(flag, v string) bool { return v != "" && p.settings.from[flag] == "" }
	switch {
	case onLine("file-passphrase-file", file):
		return vault.FromFile, file
	case onLine("file-passphrase-command", command):
		return vault.FromCommand, command
	case given:
		return vault.FromEnvironment, value
	case file != "":
		return vault.FromFile, file
	case command != "":
		return vault.FromCommand, command
	}
	return vault.FromPrompt, ""
}

// fromFile may read a pipe to which nobody ever writes: it ends with
// the command, and in time.
func (p *passphrases) fromFile(ctx context.Context, path string) ([]byte, vault.PassphraseOrigin, error) {
	ctx, cancel := context.WithTimeout(ctx, passphraseTimeLimit)
	defer cancel()
	type result struct {
		passphrase []byte
		err        error
	}
	done := make(chan result, 1)
	go func() {
		passphrase, err := readPassphrase(expandHome(path, p.paths.home), files.Stream)
		done <- result{passphrase, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, "", passphraseError("could not read the passphrase file", r.err)
		}
		return r.passphrase, vault.FromFile, nil
	case <-ctx.Done():
		return nil, "", passphraseError("could not read the passphrase file "+path, ctx.Err())
	}
}

func readPassphrase(path string, rule files.Rule) ([]byte, error) {
	data, err := files.Read(path, maxPassphraseSize, rule)
	return trimLineEnd(data), err
}

func (p *passphrases) fromCommand(ctx context.Context, command string) ([]byte, vault.PassphraseOrigin, error) {
	ctx, cancel := context.WithTimeout(ctx, passphraseTimeLimit)
	defer cancel()
	c := provider.Shell(ctx, command)
	c.Env = child.Helper(p.environ)
	c.Stderr = p.streams.Err // the program's own words; its stdout is the secret
	c.WaitDelay = time.Second
	var printed bytes.Buffer
	c.Stdout = &printed
	err := child.Run(c)
	out := printed.Bytes()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) { // done, but an agent that it started holds its stdout
		return nil, "", commandError(err)
	}
	if len(out) > maxPassphraseSize {
		return nil, "", commandError(errors.New("its output is too long"))
	}
	return trimLineEnd(out), vault.FromCommand, nil
}

func passphraseError(what string, err error) error {
	var access *files.AccessError
	if errors.As(err, &access) {
		return fault.New(what+": "+err.Error(), access.Remedy, errors.Join(vault.ErrLocked, profile.ErrUnsupported))
	}
	return fault.New(what+": "+err.Error(), "", vault.ErrLocked)
}

func commandError(err error) error {
	return fault.New(errPassphraseCommand.Error()+": "+err.Error(), "", errors.Join(vault.ErrLocked, errPassphraseCommand))
}

// trimLineEnd takes off the one line end that editors and echo leave.
func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
