package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"groat/cmd/terminal"
	"groat/provider/profile"
	"groat/vault/fault"
	"groat/vault/files"
)

// trustCmd lets an AWS config steer that is not the user's own, such as one
// that a repository brings along.
type trustCmd struct {
	File   string `arg:"" optional:"" help:"AWS config or credentials file (default those in use)."`
	List   bool   `xor:"what" help:"Print which files are trusted, and how many lines of each."`
	Forget bool   `xor:"what" help:"Trust the file no longer."`
}

// trustSetting has no flag: it says of a machine, not of one command, which
// files are its own.
const trustSetting = "trust"

// Run shows the lines before it trusts them.
func (c *trustCmd) Run(ctx context.Context, a *app) error {
	if c.List {
		return c.list(a)
	}
	paths := []string{absolute(c.File)}
	if c.File == "" {
		paths = []string{absolute(a.paths.awsConfig), absolute(a.paths.awsKeys)}
	}
	owned := 0
	for _, path := range paths {
		own, err := a.aws.isOwn(path)
		switch {
		case err != nil:
		case c.Forget && !own:
			err = c.forget(ctx, a, path)
		case !own:
			err = c.trust(ctx, a, path)
		case c.File != "":
			a.say(path + " is obeyed already: it is a default file, or GROAT_TRUST or config.json names it")
		default:
			owned++
		}
		if err != nil {
			return err
		}
	}
	if owned == 2 {
		a.say("the AWS configuration in use is your own, and obeyed already")
	}
	return nil
}

func (c *trustCmd) forget(ctx context.Context, a *app, path string) error {
	if err := a.aws.trustFile().Save(ctx, path, nil); err != nil {
		return err
	}
	a.say("no line of " + path + " is trusted")
	return nil
}

func (c *trustCmd) trust(ctx context.Context, a *app, path string) error {
	lines, err := a.aws.steering(path)
	if err != nil {
		return err
	}
	for _, l := range lines {
		a.say(fmt.Sprintf("%s:%d: [profile %s] %s = %s", path, l.Number, l.Profile, l.Key, l.Value))
	}
	if len(lines) == 0 {
		a.say(path + " has no line that runs a program, redirects calls or names a file to send")
	} else if a.prompts.ui().CanConfirm() == nil {
		ok, err := a.prompts.ui().Confirm(ctx, terminal.Question{Title: "Obey these lines of " + path + " from now on?"})
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing was changed: the lines are not trusted")
		}
	}
	if err := a.aws.trustFile().Save(ctx, path, lines); err != nil {
		return err
	}
	if len(lines) > 0 {
		a.say(fmt.Sprintf("trusted %d %s of %s; to undo that: groat trust --forget %s", len(lines), plural(len(lines), "line"), path, files.Word(path)))
	}
	return nil
}

// list prints one file a line: how many lines are trusted, and its path.
func (c *trustCmd) list(a *app) error {
	trusted, err := a.aws.trustFile().Load()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(trusted)) {
		fmt.Fprintf(&b, "%d\t%s\n", len(trusted[path]), path)
	}
	return a.printText(b.String())
}

// steering are a file's lines that steer. The other file that is in use comes
// along, as its profiles may include those of this one.
func (f *awsFiles) steering(path string) ([]profile.Line, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fault.New(fmt.Sprintf("could not read %s: %v", path, plainReason(err)), "", profile.ErrAccess)
	}
	o := profile.LoadOptions{ConfigFile: path, CredentialsFile: absolute(f.paths.awsKeys)}
	if path == o.CredentialsFile {
		o.ConfigFile = absolute(f.paths.awsConfig)
	}
	config, err := profile.Load(o)
	if err != nil {
		return nil, err
	}
	if err := config.Fatal(); err != nil {
		return nil, err
	}
	return config.Steering(path, selfProfile), nil
}

func (f *awsFiles) trustFile() profile.TrustFile {
	return profile.TrustFile{Path: filepath.Join(f.paths.state, "trusted-lines.json")}
}

// truster says which lines of the AWS configuration are obeyed. It reads
// nothing before the first line that steers in a file that is not the user's
// own.
func (f *awsFiles) truster() func(profile.Line) (bool, error) {
	load := sync.OnceValues(f.trustFile().Load)
	return func(l profile.Line) (bool, error) {
		path := absolute(l.File)
		if own, err := f.isOwn(path); own || err != nil {
			return own, err
		}
		trusted, err := load()
		return slices.Contains(trusted[path], l.ID()), err
	}
}

// isOwn reports whether a file is trusted whatever it says: the user's default
// one, and one that the setting names.
func (f *awsFiles) isOwn(path string) (bool, error) {
	if slices.Contains(f.paths.awsOwn[:], path) {
		return true, nil
	}
	named, _, _, err := f.settings.value(trustSetting)
	if err != nil || named == "" {
		return false, err
	}
	return slices.ContainsFunc(append(filepath.SplitList(named), named), func(name string) bool {
		return path == absolute(expandHome(name, f.paths.home))
	}), nil
}
