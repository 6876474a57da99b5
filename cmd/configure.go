package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// configureCmd makes SDKs ask groat for a profile's credentials.
type configureCmd struct {
	Profiles []string `arg:"" name:"profile" help:"Profiles."`
	DryRun   bool     `help:"Print the change as a diff and write nothing."`
	Undo     bool     `help:"Restore the profiles' lines as they were."`
}

// Run changes the config file once, for all the profiles or for none.
func (c *configureCmd) Run(ctx context.Context, a *app) error {
	names := slices.Compact(slices.Sorted(slices.Values(c.Profiles)))
	records := profile.UndoFile{Path: filepath.Join(a.paths.state, "configure-undo.json")}
	// Undo data belong to one file, wherever a relative AWS_CONFIG_FILE leads next.
	config, err := filepath.Abs(a.paths.awsConfig)
	if err != nil {
		return fmt.Errorf("could not find %s: %w", a.paths.awsConfig, err)
	}
	known, err := records.Load(config)
	if err != nil {
		return err
	}
	var said []string
	forgotten := make(map[string]*profile.Undo)
	change, err := profile.EditFile(ctx, config, profile.EditOptions{DryRun: c.DryRun}, func(d *profile.Document) error {
		added := make(map[string]*profile.Undo)
		for _, name := range names {
			if c.Undo {
				note, err := profile.Unconfigure(d, name, known[name], c.options(ctx, a))
				if err != nil {
					return err
				}
				if said = append(said, "restored profile "+quote(name)); note != "" {
					said = append(said, note)
				}
				forgotten[name] = nil
				continue
			}
			before, _ := d.Get(name, "credential_process")
			undo, err := c.one(ctx, a, d, name)
			if err != nil {
				return err
			}
			if undo != nil && before != "" {
				said = append(said, fmt.Sprintf("profile %s still gets its credentials from this line, which groat runs: %s", quote(name), before))
			}
			if undo == nil {
				said = append(said, fmt.Sprintf("profile %s is configured already", quote(name)))
				continue
			}
			added[name] = undo
			said = append(said, fmt.Sprintf("configured profile %s: AWS SDKs now get its credentials from groat", quote(name)))
		}
		if c.DryRun || len(added) == 0 {
			return nil
		}
		// The undo data first: a kill between the two writes leaves data for
		// a change that was never made, and not the other way round.
		return records.Save(ctx, config, added)
	})
	if err != nil {
		return err
	}
	if c.DryRun {
		return a.printText(change)
	}
	for _, line := range said {
		a.say(line)
	}
	if program, err := a.program(); err == nil && !c.Undo && strings.Contains(program, " ") {
		a.warn(fmt.Sprintf("the path %q has a blank, and some SDKs cannot run it; a link without one is safer", program))
	}
	if len(forgotten) > 0 {
		if err := records.Save(ctx, config, forgotten); err != nil {
			a.warn(err.Error())
		}
	}
	return nil
}

// one reads the configuration as it stands with the changes so far.
func (c *configureCmd) one(ctx context.Context, a *app, d *profile.Document, name string) (*profile.Undo, error) {
	config, err := profile.Load(profile.LoadOptions{
		ConfigFile: a.paths.awsConfig, CredentialsFile: a.paths.awsKeys,
		ReadFile: func(path string) ([]byte, error) {
			if path == a.paths.awsConfig {
				return []byte(d.Text()), nil
			}
			return profile.ReadFile(path)
		},
		Trusts: a.aws.truster(),
	})
	if err != nil {
		return nil, err
	}
	return profile.Configure(config, d, name, c.options(ctx, a))
}

func (*configureCmd) options(ctx context.Context, a *app) profile.ConfigureOptions {
	return profile.ConfigureOptions{
		Line:        a.processLine,
		SelfProfile: selfProfile,
		HoldsKey:    a.vaults().holdsKey(ctx),
	}
}

// processLine is the credential_process line that asks this program for a
// profile.
func (e environment) processLine(name string) (string, error) {
	program, err := e.program()
	if err != nil {
		return "", err
	}
	return processLine(program, name, runtime.GOOS)
}

// processLine quotes for SDKs, which split the line in three ways (as a
// shell would, with sh -c, with cmd /C): double quotes mean the same to all,
// if what is inside them is plain. Only what needs quotes gets them: old Go
// SDKs take a quoted path for the whole command.
func processLine(program, name, goos string) (string, error) {
	bad := "\"$`%!"
	if goos != "windows" {
		bad += `\`
	}
	for _, part := range [][2]string{{"the path of this program", program}, {"the profile's name", name}} {
		if strings.ContainsAny(part[1], bad) || strings.HasPrefix(part[1], "-") {
			return "", fault.New(fmt.Sprintf("%s, %q, has characters with a meaning of their own in a credential_process line", part[0], part[1]), "choose one of letters and digits", profile.ErrUnsupported)
		}
	}
	const special = " \t'&|<>()^;,=*?~#{}[]"
	if strings.ContainsAny(program, special) {
		program = `"` + program + `"`
	}
	if strings.ContainsAny(name, special+`\`) {
		name = `"` + name + `"`
	}
	return program + " credential-process " + name, nil
}
