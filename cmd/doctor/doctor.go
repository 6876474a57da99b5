// Package doctor looks for what keeps groat and the AWS SDKs from working:
// in the AWS configuration, in the vaults, in files and in the environment.
// It changes nothing, asks nobody and sends nothing.
package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// Finding is one thing that is wrong, as `doctor --json` prints it. Profile
// and File are "" and Line is 0 where they do not apply.
type Finding struct {
	Check    string `json:"check"`    // a short, stable name
	Severity string `json:"severity"` // Error or Warning
	Profile  string `json:"profile"`
	File     string `json:"file"`
	Line     int    `json:"line"` // 1-based
	Message  string `json:"message"`
	Remedy   string `json:"remedy"` // a command, as one types it
}

// The severities: something does not work, or may not or is not safe.
const (
	Error   = "error"
	Warning = "warning"
)

// Key is a key that a vault lists. Its card is nil where reading it would ask
// somebody.
type Key struct {
	Profile, Backend string
	Card             *vault.Card
}

// Patient is what is looked at.
type Patient struct {
	Config    *profile.Config
	ConfigErr error // why Config is nil
	// Resolve resolves a profile as the minting commands do, without asking.
	Resolve func(name string) (*profile.Resolved, error)

	// Settings is what is wrong with groat's own settings, in SettingsFile or,
	// if that is "", in the variable SettingsPlace.
	Settings                    error
	SettingsFile, SettingsPlace string

	Keys    []Key
	Records map[string]string // profile → backend, as `add` recorded it
	// Vaults are the failures of the backends that keys are kept in, by name.
	Vaults    map[string]error
	Lost      bool    // a vault cannot be listed, so that a key's absence says nothing
	Damaged   []error // cards that do not open
	Unused    []Key   // MFA devices of users that were never enabled, in Card.MFASerial
	HalfVault bool    // one of the two copies of the file vault's header is no good
	Bus       error   // why the session bus that the environment names does not answer
	// Silenced is why a question would reach nobody although somebody could
	// be asked: a setting forbids it, or names what is not here. Else nil.
	Silenced     error
	SilencedFile string        // where that setting is; "" in the environment
	MaxAge       time.Duration // of an access key

	Getenv      func(string) string
	Variables   []string // the names of the GROAT_ variables that are set
	Known       []string // those that have a meaning
	Agent       string   // the AI agent that runs groat; "" = none
	LookPath    func(program string) error
	Clock       *Clock // nil: AWS was not asked
	Credentials string // the AWS credentials file
	AWSDir      string // ~/.aws
	State       string // groat's state directory
	Now         time.Time
}

// Examine gives all findings, sorted by file and line.
func Examine(p *Patient) []Finding {
	e := &exam{Patient: p, findings: []Finding{}}
	e.settings()
	e.configuration()
	e.vaults()
	e.places()
	e.environment()
	e.clock()
	slices.SortStableFunc(e.findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return e.findings
}

type exam struct {
	*Patient
	findings []Finding
	needsKey map[string]bool // profiles whose missing key was named
}

// add keeps one finding for each place: the first one says most.
func (e *exam) add(f Finding) {
	if f.Line > 0 && slices.ContainsFunc(e.findings, func(g Finding) bool { return g.File == f.File && g.Line == f.Line }) {
		return
	}
	if slices.Contains(e.findings, f) {
		return
	}
	e.findings = append(e.findings, f)
}

// fromError makes a finding of an error, with its place and its hint: a hint
// that is a command is the remedy, words go into the message.
func (e *exam) fromError(check, severity string, err error) Finding {
	f := Finding{Check: check, Severity: severity, Message: err.Error()}
	var at *profile.Error
	if errors.As(err, &at) {
		f.Profile, f.File, f.Line, f.Message = at.Profile, at.File, at.Line, at.Err.Error()
	}
	var access *files.AccessError
	if errors.As(err, &access) {
		f.File, f.Line = access.Path, 0
	}
	hint := fault.Hint(err)
	if f.Remedy = command(hint); f.Remedy == "" && hint != "" {
		f.Message += "; " + hint
	}
	if f.Remedy == "" {
		f.Remedy = e.edit(f.File, f.Line)
	}
	return f
}

// command is the command that a hint consists of, or ends with; "" if it is
// words.
func command(hint string) string {
	for _, start := range []string{"", "run: ", "if its content is yours: "} {
		rest, ok := strings.CutPrefix(hint, start)
		if word, _, _ := strings.Cut(rest, " "); ok && slices.Contains([]string{"groat", "chmod", "sudo"}, word) {
			return rest
		}
	}
	return ""
}

// noRemedy shows the profiles, where there is no better command.
const noRemedy = "groat list"

// edit opens a file at a line, in the editor that the user has named.
func (e *exam) edit(file string, line int) string {
	editor := cmp.Or(e.Getenv("VISUAL"), e.Getenv("EDITOR"), "vi")
	if runtime.GOOS == "windows" {
		editor = cmp.Or(e.Getenv("EDITOR"), "notepad")
	}
	program, _, _ := strings.Cut(filepath.Base(editor), " ")
	switch {
	case file == "":
		return noRemedy
	case line > 0 && slices.Contains([]string{"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe", "mg"}, program):
		return fmt.Sprintf("%s +%d %s", editor, line, files.Word(file))
	}
	return editor + " " + files.Word(file)
}

// unset takes variables out of the shell's environment.
func unset(names ...string) string {
	if runtime.GOOS == "windows" {
		return "Remove-Item Env:" + strings.Join(names, ", Env:")
	}
	return "unset " + strings.Join(names, " ")
}

func severity(fatal bool) string {
	if fatal {
		return Error
	}
	return Warning
}

// Clock is what asking AWS for the time gave.
type Clock struct {
	Skew time.Duration // how far AWS's clock is ahead
	Err  error         // why AWS could not be asked
}

// clock: AWS tolerates five minutes.
func (e *exam) clock() {
	switch {
	case e.Clock == nil:
	case e.Clock.Err != nil:
		f := e.fromError("aws-unreachable", Error, e.Clock.Err)
		f.Remedy = "groat doctor --online --debug"
		e.add(f)
	case e.Clock.Skew.Abs() >= time.Minute:
		e.add(Finding{Check: "clock", Severity: severity(e.Clock.Skew.Abs() >= provider.MaxSkew), Remedy: setClock(),
			Message: fmt.Sprintf("this machine's clock is %s off AWS's, which tolerates 5m", e.Clock.Skew.Abs().Round(time.Second))})
	}
}

// setClock lets the system ask the time.
func setClock() string {
	switch runtime.GOOS {
	case "windows":
		return "w32tm /resync"
	case "darwin":
		return "sudo sntp -sS time.apple.com"
	}
	return "sudo timedatectl set-ntp true"
}

// settings: doctor is the one command that goes on without them.
func (e *exam) settings() {
	if e.Settings == nil {
		return
	}
	f := e.fromError("settings", Error, e.Settings)
	f.File = e.SettingsFile
	if f.Remedy == noRemedy {
		if f.Remedy = unset(e.SettingsPlace); f.File != "" {
			f.Remedy = e.edit(f.File, 0)
		}
	}
	e.add(f)
}
