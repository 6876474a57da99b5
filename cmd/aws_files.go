package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"groat/provider/profile"
	"groat/vault/files"
)

// awsFiles are the two AWS configuration files: what they say, whose lines in
// them are obeyed, and which of their profiles people know by another name.
type awsFiles struct {
	environment
	*output
	paths    *paths
	settings *settings

	mu   sync.Mutex // guards the one below
	read *profile.Config
}

// config is the parsed AWS configuration, read once; see reread.
func (f *awsFiles) config() (*profile.Config, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == nil {
		c, err := profile.Load(profile.LoadOptions{ConfigFile: f.paths.awsConfig, CredentialsFile: f.paths.awsKeys, Trusts: f.truster()})
		if err != nil {
			return nil, err
		}
		f.read = c
	}
	return f.read, nil
}

// reread has the AWS configuration read again when it is next needed.
func (f *awsFiles) reread() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = nil
}

// absent says why there is no AWS config file, where that is hardly what
// was meant; "" otherwise. HOME=/dev/null, as services have it, is meant.
func (f *awsFiles) absent() (what, remedy string) {
	path := f.paths.awsConfig
	if info, err := os.Stat(filepath.Dir(path)); err == nil && info.Mode().IsRegular() {
		dir := filepath.Dir(path)
		return fmt.Sprintf("%s is a file, but should be the folder of %s", dir, filepath.Base(path)), fmt.Sprintf("move that file away: mv %s %s", files.Word(dir), files.Word(dir+".old"))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && f.getenv("AWS_CONFIG_FILE") != "" {
		return fmt.Sprintf("AWS_CONFIG_FILE names %s, which does not exist", path), "correct AWS_CONFIG_FILE, or unset it"
	}
	for _, path := range []string{path, f.paths.awsKeys} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if target, err := os.Readlink(path); err == nil {
				return fmt.Sprintf("%s is a link to %s, which does not exist", path, target), "see where it should lead: ls -l " + files.Word(path)
			}
		}
	}
	return "", ""
}

// helpers are the profiles that stand behind another one by way of a
// credential_process that calls groat: `configure` makes them, and nobody
// means both.
func (f *awsFiles) helpers() (map[string]bool, error) {
	config, err := f.config()
	if err != nil {
		return nil, err
	}
	helpers := map[string]bool{}
	for _, name := range config.Names() {
		line := config.Value(name, "credential_process")
		if line == "" {
			continue
		}
		if target, plain, _ := selfProfile(line); plain && target != name {
			helpers[target] = true
		}
	}
	return helpers, nil
}

// typedNames are the profiles that `configure` made to hold another one's
// chain, each with the name that people type.
func (f *awsFiles) typedNames(config *profile.Config) map[string]string {
	typed := map[string]string{}
	for _, name := range config.Names() {
		if short := f.typedName(name); short != name {
			typed[name] = short
		}
	}
	return typed
}

// typedName is the name that people type for a profile.
func (f *awsFiles) typedName(helper string) string {
	name, suffixed := strings.CutSuffix(helper, profile.ConfiguredSuffix)
	if !suffixed {
		return helper
	}
	config, err := f.config()
	if err != nil {
		return helper
	}
	if target, plain, _ := selfProfile(config.Value(name, "credential_process")); plain && target == helper {
		return name
	}
	return helper
}
