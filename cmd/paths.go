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
	awsConfig  string    // ~/.aws/config
	awsKeys    string    // ~/.aws/credentials
	awsOwn     [2]string // where these two are by default
	home       string    // "" if nobody knows one
	// homeless is the error of a path that needed a home and had none.
	homeless error
	// homeNote says whose word for the home folder was taken, if not HOME's.
	homeNote string
}

// newPaths follows the XDG base directories on Linux and the platform's own
// habit elsewhere; https://specifications.freedesktop.org/basedir-spec/latest/
// says that relative values are to be ignored.
func newPaths(getenv func(string) string, recorded func() string) paths {
	home, note := homeDir(getenv, recorded)
	homeless := false
	below := func(parts ...string) string {
		homeless = homeless || home == ""
		return filepath.Join(append([]string{home}, parts...)...)
	}
	xdg := func(name, fallback string) string {
		if v := getenv(name); filepath.IsAbs(v) {
			return filepath.Join(v, "groat")
		}
		return below(fallback, "groat")
	}
	var p paths
	switch runtime.GOOS {
	case "windows":
		base := getenv("LOCALAPPDATA")
		if base == "" {
			base = below("AppData", "Local")
		}
		dir := filepath.Join(base, "groat")
		p = paths{configFile: filepath.Join(dir, "config.json"), fileVault: filepath.Join(dir, "vault"), state: dir}
	case "darwin":
		dir := below("Library", "Application Support", "groat")
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
	if home != "" { // else these would be whatever the current folder holds
		p.awsOwn = [2]string{absolute(filepath.Join(home, ".aws", "config")), absolute(filepath.Join(home, ".aws", "credentials"))}
	}
	p.awsConfig, p.awsKeys = expandHome(getenv("AWS_CONFIG_FILE"), home), expandHome(getenv("AWS_SHARED_CREDENTIALS_FILE"), home)
	if p.awsConfig == "" {
		p.awsConfig = below(".aws", "config")
	}
	if p.awsKeys == "" {
		p.awsKeys = below(".aws", "credentials")
	}
	p.home, p.homeNote = home, note
	if homeless {
		p.homeless = settingError(homeVariable(), "is not set, and the system has no home folder on record for you", true, "set "+homeVariable()+" to a folder that is yours")
	}
	return p
}

// fileDir is the file vault's directory.
func (p *paths) fileDir(flags *globals) string {
	if flags.FileDir != "" {
		return expandHome(flags.FileDir, p.home)
	}
	return p.fileVault
}

func homeVariable() string {
	if runtime.GOOS == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

// homeDir is $HOME (%USERPROFILE%), else what the system has recorded of the
// user, which note then says: a service manager may start us with neither.
func homeDir(getenv func(string) string, recorded func() string) (home, note string) {
	if home := getenv(homeVariable()); home != "" {
		return home, ""
	}
	home = recorded()
	if home == "" || home == string(os.PathSeparator) { // the home of users that are no person's
		return "", ""
	}
	return home, homeVariable() + " is not set, so the home folder in the system's record of users is used: " + home
}

// recordedHome is the home folder in the system's record of users.
func recordedHome() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.HomeDir
}

// expandHome reads a leading ~/ as the AWS CLI does in these variables.
func expandHome(path, home string) string {
	if home != "" && len(path) >= 2 && path[0] == '~' && os.IsPathSeparator(path[1]) {
		return filepath.Join(home, path[2:])
	}
	return path
}

// absolute is a path from the root; what cannot be told stays as it is.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
