package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"groat/cmd/doctor"
	"groat/provider"
	"groat/provider/iam"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/fault"
)

// doctorCmd says what is wrong. It changes nothing, asks nobody and, without
// --online, sends nothing.
type doctorCmd struct {
	JSON   bool `name:"json" help:"Print JSON."`
	Online bool `help:"Ask AWS for the time and for unused MFA devices."`

	broken *fault.Error // what is wrong with the settings; their defaults are used
}

// diagnosis is the JSON of `doctor --json`.
type diagnosis struct {
	Findings []doctor.Finding `json:"findings"`
}

// Run gathers what there is to look at, and prints what was found.
func (c *doctorCmd) Run(ctx context.Context, a *app) error {
	p := c.patient(ctx, a)
	if c.Online {
		p.Clock = c.clock(ctx, a)
		c.unusedDevices(ctx, a, p)
	}
	found := doctor.Examine(p)
	if err := c.print(a, found); err != nil {
		return err
	}
	if len(found) > 0 {
		return exitStatus(exitFound)
	}
	return nil
}

func (c *doctorCmd) print(a *app, found []doctor.Finding) error {
	if c.JSON {
		return writeJSON(a.streams.Out, diagnosis{found}, true)
	}
	var b strings.Builder
	for _, f := range found {
		place := f.File
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(&b, "%s: %s%s\n  %s\n", f.Severity, place, f.Message, f.Remedy)
	}
	a.say(fmt.Sprintf("%d %s", len(found), plural(len(found), "finding")))
	return a.printText(b.String())
}

func (c *doctorCmd) patient(ctx context.Context, a *app) *doctor.Patient {
	p := &doctor.Patient{
		Vaults: map[string]error{}, MaxAge: c.maxKeyAge(a), Getenv: a.getenv, LookPath: a.lookPath, Agent: a.agent(),
		Credentials: a.paths.awsKeys, AWSDir: filepath.Join(a.paths.home, ".aws"), State: a.paths.state, Now: a.now(),
	}
	if broken := c.broken; broken != nil {
		p.Settings = broken
		if p.SettingsPlace, _, _ = strings.Cut(broken.Text, ": "); errors.Is(broken, errConfigFile) {
			p.SettingsFile = a.paths.configFile
		}
	}
	for name := range a.env {
		if strings.HasPrefix(name, "GROAT_") && !strings.HasPrefix(name, "GROAT_TEST_") {
			p.Variables = append(p.Variables, name)
		}
	}
	slices.Sort(p.Variables)
	p.Known = []string{passphraseVariable, "GROAT_NEW_FILE_PASSPHRASE", "GROAT_SOURCE_FILE_PASSPHRASE", "GROAT_PROFILE"}
	for _, name := range a.settings.names {
		p.Known = append(p.Known, "GROAT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
	}
	p.SilencedFile, p.Silenced = c.silenced(a)
	c.lookIntoVaults(ctx, a, p)
	p.Config, p.ConfigErr = a.aws.config()
	o := profile.ResolveOptions{
		HoldsKey: func(name string) (bool, error) {
			return p.Lost && p.Records[name] != "" || slices.ContainsFunc(p.Keys, func(k doctor.Key) bool { return k.Profile == name }), nil
		},
		KeyNames: a.vaults().Names, Getenv: a.getenv, SelfProfile: selfProfile,
	}
	p.Resolve = func(name string) (*profile.Resolved, error) { return p.Config.Resolve(name, o) }
	return p
}

// vaultTime bounds each look into a vault: one that hangs is a finding.
const vaultTime = 5 * time.Second

// lookIntoVaults lists the keys and reads the cards that open by themselves.
func (c *doctorCmd) lookIntoVaults(ctx context.Context, a *app, p *doctor.Patient) {
	backends := []string{a.cli.Backend}
	if a.cli.Backend == autoBackend {
		records, err := a.vaults().Recorded()
		if err != nil {
			p.Vaults[autoBackend], p.Lost = err, true
			return
		}
		p.Records = records
		if config, err := a.vaults().configure(autoBackend); err == nil {
			config.Timeout = vaultTime
			p.Bus = vault.CheckBus(ctx, config)
		}
		if len(records) > 0 {
			backends = slices.Compact(slices.Sorted(maps.Values(records)))
		}
	}
	for _, backend := range backends {
		if listed, err := c.lookIntoVault(ctx, a, p, backend); err != nil {
			p.Vaults[backend], p.Lost = err, p.Lost || !listed
		}
	}
}

func (c *doctorCmd) lookIntoVault(ctx context.Context, a *app, p *doctor.Patient, backend string) (listed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTime)
	defer cancel()
	v, err := c.lookInto(a, backend)
	if err != nil {
		return false, err
	}
	defer func() { _ = v.Close() }()
	if f, ok := v.(*vault.File); ok && !f.Whole() {
		p.HalfVault = true
	}
	names, err := v.Names(ctx, vault.KindKey)
	if err != nil {
		return false, err
	}
	var locked error
	for _, name := range names {
		key := doctor.Key{Profile: name, Backend: v.Backend()}
		if locked == nil {
			card, err := vault.PeekCard(ctx, v, name)
			switch {
			case err == nil:
				key.Card = &card
			case vault.OfItem(err) && !errors.Is(err, vault.ErrNotFound):
				p.Damaged = append(p.Damaged, err)
			case !vault.OfItem(err):
				locked = err
			}
		}
		p.Keys = append(p.Keys, key)
	}
	return true, locked
}

// unusedDevices asks AWS, signed with the keys that open by themselves, for
// devices that were never enabled. Who may not ask is not told so: it is for
// users that see to their own devices.
func (c *doctorCmd) unusedDevices(ctx context.Context, a *app, p *doctor.Patient) {
	for _, k := range p.Keys {
		if k.Card == nil || k.Card.UserName == "" {
			continue
		}
		serials, err := c.unusedDevicesOf(ctx, a, k)
		if err != nil {
			a.debugf("could not look for unused MFA devices of profile %s: %v", quote(k.Profile), err)
		}
		for _, serial := range serials {
			p.Unused = append(p.Unused, doctor.Key{Profile: k.Profile, Backend: k.Backend, Card: &vault.Card{MFASerial: serial}})
		}
	}
}

func (c *doctorCmd) unusedDevicesOf(ctx context.Context, a *app, k doctor.Key) ([]string, error) {
	v, err := c.lookInto(a, k.Backend)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.Close() }()
	key, err := vault.GetKey(ctx, v, k.Profile)
	if err != nil {
		return nil, err
	}
	o, err := a.callOptions(k.Profile, "")
	if err != nil {
		return nil, err
	}
	return iam.Client{Options: o, Credentials: session.OfKey(key)}.Unused(ctx, k.Card.UserName)
}

// lookInto opens a vault in which nothing is changed and nobody is asked.
func (*doctorCmd) lookInto(a *app, backend string) (vault.Vault, error) {
	config, err := a.vaults().configure(backend)
	if err != nil {
		return nil, err
	}
	config.NoInput, config.LookOnly, config.AskAlone, config.Warn, config.PassedOver = true, true, nil, nil, nil
	config.UnlockFor, config.Timeout = new(time.Duration), vaultTime
	config.Passphrase = a.passphrases.atHand
	return vault.Open(config)
}

// defaultKeyAge is the age from which a key is old, as for audit.
const defaultKeyAge = 90 * 24 * time.Hour

func (*doctorCmd) maxKeyAge(a *app) time.Duration {
	text, place, _, err := a.settings.value(maxKeyAgeSetting)
	if err != nil || place == "" {
		return defaultKeyAge
	}
	age, err := parseDays(text)
	if err != nil {
		return defaultKeyAge
	}
	return age
}

// silenced is why a setting keeps every question from reaching anybody, and
// the file it is in. That the command itself has no terminal says nothing of
// others.
func (*doctorCmd) silenced(a *app) (file string, err error) {
	for _, setting := range []string{"no-input", "prompt"} {
		place := a.settings.from[setting]
		if place == "" || setting == "no-input" && !a.cli.NoInput || setting == "prompt" && a.cli.Prompt == autoBackend {
			continue
		}
		why := errors.New("it forbids questions")
		if setting == "prompt" {
			why = a.prompts.ui().CanAsk()
		}
		if why != nil {
			if strings.HasPrefix(place, a.paths.configFile) {
				file = a.paths.configFile
			}
			return file, fmt.Errorf("%s: %w", place, why)
		}
	}
	return "", nil
}

// clock asks AWS for the time, where the profile in use sends its calls.
func (c *doctorCmd) clock(ctx context.Context, a *app) *doctor.Clock {
	o, err := a.callOptions(cmp.Or(a.getenv("AWS_PROFILE"), "default"), "")
	if err != nil {
		return nil // a finding of its own
	}
	skew, err := provider.ClockSkew(ctx, o)
	return &doctor.Clock{Skew: skew, Err: err}
}
