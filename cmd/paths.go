package cmd

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
)

// paths are where the files lie that belong to nobody's project.
type paths struct {
	configFile string // groat's own config.json
	fileVault  string
	state      string
	awsConfig  string // ~/.aws/config
	awsKeys    string // ~/.aws/credentials
}

// newPaths follows the XDG base directories on Linux and the platform's own
// habit elsewhere; https://specifications.freedesktop.org/basedir-spec/latest/
// says that relative values are to be ignored.
func newPaths(getenv func(string) string) paths {
	home := homeDir(getenv)
	xdg := func(name, fallback string) string {
		if v := getenv(name); filepath.IsAbs(v) {
			return filepath.Join(v, "groat")
		}
		return filepath.Join(home, fallback, "groat")
	}
	var p paths
	switch runtime.GOOS {
	case "windows":
		base := getenv("LOCALAPPDATA")
		if base == "" {
			base = filepath.Join(home, "AppData", "Local")
		}
		dir := filepath.Join(base, "groat")
		p = paths{configFile: filepath.Join(dir, "config.json"), fileVault: filepath.Join(dir, "vault"), state: dir}
	case "darwin":
		dir := filepath.Join(home, "Library", "Application Support", "groat")
		p = paths{
			configFile: filepath.Join(xdg("XDG_CONFIG_HOME", "Library/Application Support"), "config.json"),
			fileVault:  filepath.Join(dir, "vault"), state: dir,
		}
	default:
		p = paths{
			configFile: filepath.Join(xdg("XDG_CONFIG_HOME", ".config"), "config.json"),
			fileVault:  filepath.Join(xdg("XDG_DATA_HOME", ".local/share"), "vault"),
			state:      xdg("XDG_STATE_HOME", ".local/state"),
		}
	}
	p.awsConfig, p.awsKeys = getenv("AWS_CONFIG_FILE"), getenv("AWS_SHARED_CREDENTIALS_FILE")
	if p.awsConfig == "" {
		p.awsConfig = filepath.Join(home, ".aws", "config")
	}
	if p.awsKeys == "" {
		p.awsKeys = filepath.Join(home, ".aws", "credentials")
	}
	p.awsConfig, p.awsKeys = expandHome(p.awsConfig, home), expandHome(p.awsKeys, home)
	return p
}

// homeDir is $HOME (%USERPROFILE%), else what the system says of the user: a
// service manager may start us with neither.
func homeDir(getenv func(string) string) string {
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "USERPROFILE"
	}
	if home := getenv(name); home != "" {
		return home
	}
	if u, err := user.Current(); err == nil && u.HomeDir != "" {
		return u.HomeDir
	}
	return string(os.PathSeparator)
}

// osUser is the name of who runs the program, "" if it cannot be told.
func osUser(getenv func(string) string) string {
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// expandHome reads a leading ~/ as the AWS CLI does in these variables.
func expandHome(path, home string) string {
	if len(path) >= 2 && path[0] == '~' && os.IsPathSeparator(path[1]) {
		return filepath.Join(home, path[2:])
	}
	return path
}
