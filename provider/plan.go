package provider

import (
	"cmp"
	"fmt"
	"slices"

	"groat/provider/profile"
	"groat/vault/fault"
	"groat/vault/files"
)

// NewPlan decides what will be called to answer for a profile: it is a pure
// function, and the only place where such decisions are made. card is that
// of the long-lived key the profile resolved to, nil for other sources.
//
// Errors wrap ErrBounds (a duration no call would grant), ErrNoKey (nothing
// to begin with) or a profile error (ErrMalformed, ErrUnsupported).
func NewPlan(r *profile.Resolved, card *Card, o Options) (*Plan, error) {
	if err := CheckDurations(o); err != nil {
		return nil, err
	}
	b := &planner{
		resolved: r,
		card:     card,
		options:  o,
		roles:    append([]profile.Role(nil), r.Roles...),
		scope:    r.SessionPolicy,
		source:   sourceOf(r.Source.Kind),
		plan: &Plan{
			Profile: r.Name,
			Chain:   r.Chain,
			Source:  r.Source,
			Card:    card,
			Region:  r.Region,
		},
	}
	for i := range b.roles {
		if err := checkRole(b.profileOf(&b.roles[i]), &b.roles[i]); err != nil {
			return nil, err
		}
	}
	if err := b.consent(); err != nil {
		return nil, err
	}
	if err := b.source.plan(b); err != nil {
		return nil, err
	}
	if err := b.narrow(); err != nil {
		return nil, err
	}
	for i := range b.plan.Steps {
		// Before a code is asked: no host name can be made of it.
		if step := &b.plan.Steps[i]; step.Region != "" && !IsRegion(step.Region) {
			return nil, malformed(step.Profile, "write a region such as eu-west-1", "%q is not a valid region", step.Region)
		}
	}
	return b.plan, nil
}

// planner gathers the steps of one plan.
type planner struct {
	resolved *profile.Resolved
	card     *Card
	options  Options
	roles    []profile.Role
	scope    profile.SessionPolicy // that no role takes
	source   source
	plan     *Plan
}

// fromStoredKey plans over a key in the vault.
func (b *planner) fromStoredKey() error {
	if b.card == nil {
		return noKeyError(b.resolved)
	}
	return b.fromKey()
}

// fromPlaintext plans over what a file of AWS's holds. Session credentials
// cannot be moved into the vault.
func (b *planner) fromPlaintext() error {
	source := &b.resolved.Source
	if !isLongLived(source) {
		return b.fromFetched(Step{})
	}
	remedy := fmt.Sprintf("`groat import --delete-source %s` moves it into the vault", files.Word(source.Profile))
	if !source.Static.Shared {
		remedy = fmt.Sprintf("`groat add %s` stores it in the vault; then delete the lines", files.Word(source.Profile))
	}
	b.warn("the access key of profile %q is in plaintext in %s: %s", source.Profile, source.Static.File, remedy)
	return b.fromKey()
}

// fromKey plans over a long-lived key.
func (b *planner) fromKey() error {
	serial := b.serial()
	switch {
	case len(b.roles) == 0 && b.options.NoSession:
		b.warn("profile %q: --no-session without a role hands out the long-lived access key itself", b.resolved.Name)
		b.plan.Steps = []Step{{Operation: OpKey, Profile: b.resolved.Source.Profile, Endpoints: b.resolved.Source.Endpoints}}
		return nil
	case len(b.roles) == 0:
		return b.session(serial)
	case b.options.NoSession, len(b.roles) == 1 && b.askedForLast() > MaxChainedDuration:
		// No session in between: AWS grants more than an hour only to a
		// role assumed with the long-lived key, so the code goes into that call.
		return b.assume(serial, false)
	}
	if err := b.session(serial); err != nil {
		return err
	}
	return b.assume("", true)
}

// serial is the device that a call with the long-lived key names: the asking
// profile's own, else its source's, else the one that is known of the key.
func (b *planner) serial() string {
	if b.resolved.Source.NoMFA {
		return ""
	}
	serials := []string{b.resolved.Source.MFASerial}
	for i := len(b.roles) - 1; i >= 0; i-- {
		serials = append(serials, b.roles[i].MFASerial)
	}
	if b.card != nil {
		serials = append(serials, b.card.MFASerial)
	}
	return firstSerial(serials...)
}

// fromOthers plans over credentials of which nothing but the source is known.
func (b *planner) fromOthers() error { return b.fromFetched(Step{}) }

// fromFetched plans over credentials that are fetched as they are: they may be
// temporary or not.
func (b *planner) fromFetched(step Step) error {
	step.Operation = b.source.operation
	step.Profile = b.resolved.Source.Profile
	step.Endpoints = b.resolved.Source.Endpoints
	if step.Region == "" {
		step.Region = b.resolved.Source.Region
	}
	_, step.Partition = place(step.Region)
	b.plan.Steps = append(b.plan.Steps, step)
	if len(b.roles) == 0 {
		if step.Duration == 0 && b.resolved.Policy == "" && (b.options.AssumeRoleTTL != 0 || b.options.SessionTTL != 0) {
			b.warn("profile %q: a duration was asked for, but %s decides how long its credentials live", b.resolved.Name, b.source.words)
		}
		return nil
	}
	serial := b.roles[0].MFASerial
	if serial != "" && !b.source.user {
		b.warn("profile %q: mfa_serial is ignored, because credentials of %s take no MFA device", b.resolved.Name, b.source.words)
		serial = ""
	}
	return b.assume(serial, !b.resolved.Source.LongLived)
}

func (b *planner) fromWebIdentity() error {
	w := b.plan.Source.WebIdentity
	duration := DefaultRoleDuration
	if len(b.roles) == 0 {
		asked, err := configuredDuration(b.resolved.Profile, b.resolved.DurationSeconds)
		if err != nil {
			return err
		}
		duration = firstDuration(b.options.AssumeRoleTTL, asked, DefaultRoleDuration)
	}
	region, _ := place(b.resolved.Source.Region, w.RoleARN)
	return b.fromFetched(Step{
		Duration:      duration,
		Region:        region,
		SessionName:   b.sessionName(w.SessionName, nil, ""),
		Agent:         b.named(w.SessionName),
		SessionPolicy: w.SessionPolicy,
	})
}

// session adds GetSessionToken, the one call whose code serves every role
// that shares key and serial. It is made in the region of the profile that
// holds the key, so that a role's region does not cost a session of its own.
func (b *planner) session(serial string) error {
	if err := CheckSerial(b.resolved.Profile, serial); err != nil {
		return err
	}
	arns := make([]string, 0, len(b.roles)+1)
	for _, role := range b.roles {
		arns = append(arns, role.RoleARN)
	}
	arns = append(arns, serial)
	region, part := place(b.resolved.Source.Region, arns...)
	if b.resolved.Source.Region == "" && !slices.ContainsFunc(arns, func(arn string) bool { return partitionOfARN(arn) != "" }) {
		part = profile.PartitionOf(b.resolved.Region)
		region = defaultRegions[part]
	}
	b.plan.Steps = append(b.plan.Steps, Step{
		Operation:  OpGetSessionToken,
		Profile:    b.resolved.Source.Profile,
		Duration:   firstDuration(b.options.SessionTTL, DefaultSessionDuration),
		MFASerial:  serial,
		MFAProcess: b.mfaProcess(serial),
		Region:     region,
		Partition:  part,
		Endpoints:  b.resolved.Source.Endpoints,
	})
	return nil
}

func (b *planner) mfaProcess(serial string) string {
	if serial == "" {
		return ""
	}
	return b.resolved.MFAProcess
}

func (b *planner) warn(format string, args ...any) {
	b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf(format, args...))
}

// noKeyError says under which name a key is missing.
func noKeyError(r *profile.Resolved) error {
	return missingKey(r.Name, cmp.Or(r.Source.Profile, r.Profile))
}

// missingKey says that a chain ends at a profile without any credentials.
func missingKey(asked, missing string) error {
	text := fmt.Sprintf("profile %q: %v", missing, ErrNoKey)
	if asked != "" && asked != missing {
		text = fmt.Sprintf("profile %q: %v for its source profile %q", asked, ErrNoKey, missing)
	}
	return fault.New(text, fmt.Sprintf("run `groat add %[1]s` to store its access key, or `groat signin %[1]s` to do without one", files.Word(missing)), ErrNoKey)
}
