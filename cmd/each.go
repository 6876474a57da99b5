package cmd

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// eachCmd runs one command for many profiles.
type eachCmd struct {
	Jobs     int  `short:"j" default:"4" placeholder:"N" help:"How many commands run at a time (default ${default})." group:"child"`
	FailFast bool `help:"Start no more after the first that fails." group:"child"`

	minting

	Patterns []string `arg:"" name:"pattern" help:"Profiles; * matches any text, ? one character."`
	command  []string
}

// setTail takes the words after "--": they are the command.
func (c *eachCmd) setTail(words []string) { c.command = words }

// Run finds out what would run before anything is minted.
func (c *eachCmd) Run(ctx context.Context, a *app) error {
	if len(c.command) == 0 {
		return usageError("no command given", "write it after --: groat each 'prod-*' -- aws s3 ls")
	}
	if c.Jobs < 1 {
		return usageError(fmt.Sprintf("--jobs is %d and must be at least 1", c.Jobs), "leave it out for 4")
	}
	run, err := findCommand(c.command)
	if err != nil {
		return err
	}
	names, err := c.matching(ctx, a)
	if err != nil {
		return err
	}
	f := newParallel(a, run, names)
	f.minting, f.jobs, f.failFast = c.minting, c.Jobs, c.FailFast
	return f.run(ctx)
}

// matching are the profiles meant, each once: in the order of the patterns,
// and by name for each pattern.
func (c *eachCmd) matching(ctx context.Context, a *app) ([]string, error) {
	all, err := a.profileNames(ctx)
	if err != nil {
		return nil, err
	}
	helpers, err := a.aws.helpers()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, pattern := range c.Patterns {
		glob := globPattern(pattern)
		found := false
		for _, name := range all {
			if name != pattern && (helpers[name] || !glob.MatchString(name)) {
				continue
			}
			found = true
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if !found {
			return nil, fault.New("no profile matches "+quote(pattern), "run: groat list --profiles", profile.ErrUnknownProfile)
		}
	}
	return names, nil
}

// globPattern is a pattern in which only * and ? are special: profiles may
// be called a/b or [x].
func globPattern(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	return regexp.MustCompile(`(?s)^` + quoted + `$`)
}

// errNotRun says why a profile's command was not started.
var errNotRun = errors.New("not run")
