package provider

import (
	"fmt"
	"time"

	"groat/provider/profile"
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
		plan: &Plan{
			Profile:        r.Name,
			Source:         r.Source,
			Card:           card,
			Region:         r.Region,
			MFAProcessFile: r.MFAProcessFile,
		},
	}
	for i := range b.roles {
		if err := checkRole(b.profileOf(&b.roles[i]), &b.roles[i]); err != nil {
			return nil, err
		}
	}
	if err := b.build(); err != nil {
		return nil, err
	}
	return b.plan, nil
}

// planner gathers the steps of one plan.
type planner struct {
	resolved *profile.Resolved
	card     *Card
	options  Options
	roles    []profile.Role
	plan     *Plan
}

func (b *planner) build() error {
	source := b.resolved.Source
	switch source.Kind {
	case profile.SourceKey:
		if b.card == nil {
			return noKeyError(b.resolved)
		}
		return b.fromKey()
	case profile.SourceStatic:
		if source.Static.SessionToken != "" {
			// Temporary: there is nothing to move into the vault.
			return b.fromTemporary(Step{Operation: OpStatic})
		}
		b.warn("profile %q: its access key lies in plaintext in %s: `groat import %s` moves it into the vault",
			source.Profile, source.Static.File, source.Profile)
		return b.fromKey()
	case profile.SourceSSO:
		return b.fromTemporary(Step{Operation: OpSSO, Region: source.SSO.Region})
	case profile.SourceWebIdentity:
		return b.fromWebIdentity()
	case profile.SourceProcess:
		return b.fromTemporary(Step{Operation: OpProcess})
	case profile.SourceEnvironment:
		return b.fromTemporary(Step{Operation: OpEnvironment})
	case profile.SourceEC2:
		return b.fromTemporary(Step{Operation: OpEC2})
	case profile.SourceECS:
		return b.fromTemporary(Step{Operation: OpECS})
	}
	return noKeyError(b.resolved)
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

// fromTemporary plans over credentials that somebody else minted.
func (b *planner) fromTemporary(source Step) error {
	source.Profile = b.resolved.Source.Profile
	source.Endpoints = b.resolved.Source.Endpoints
	if source.Region == "" {
		source.Region = b.resolved.Source.Region
	}
	_, source.Partition = place(source.Region)
	b.plan.Steps = append(b.plan.Steps, source)
	if len(b.roles) == 0 {
		if source.Operation != OpWebIdentity && (b.options.AssumeRoleTTL != 0 || b.options.SessionTTL != 0) {
			b.warn("profile %q: a duration was asked for, but %s decides how long its credentials live", b.resolved.Name, sourceWords[source.Operation])
		}
		return nil
	}
	serial := b.roles[0].MFASerial
	// Only a process, the environment or a file can hold the credentials of
	// an IAM user, who may own a device; the others are roles.
	if serial != "" && source.Operation != OpProcess && source.Operation != OpEnvironment && source.Operation != OpStatic {
		b.warn("profile %q: mfa_serial is left out, as %s gives credentials of a role, which has no MFA device", b.resolved.Name, sourceWords[source.Operation])
		serial = ""
	}
	return b.assume(serial, true)
}

// sourceWords says for a person who decides in a source.
var sourceWords = map[Operation]string{
	OpStatic:      "the session in the credentials file",
	OpSSO:         "IAM Identity Center",
	OpWebIdentity: "the web identity provider",
	OpProcess:     "the credential process",
	OpEnvironment: "the environment",
	OpEC2:         "the EC2 instance profile",
	OpECS:         "the container's task role",
}

func (b *planner) fromWebIdentity() error {
	w := b.resolved.Source.WebIdentity
	duration := DefaultRoleDuration
	if len(b.roles) == 0 {
		asked, err := configuredDuration(b.resolved.Profile, b.resolved.DurationSeconds)
		if err != nil {
			return err
		}
		duration = firstDuration(b.options.AssumeRoleTTL, asked, DefaultRoleDuration)
	}
	region, _ := place(b.resolved.Source.Region, w.RoleARN)
	return b.fromTemporary(Step{
		Operation:   OpWebIdentity,
		Duration:    duration,
		Region:      region,
		SessionName: roleSessionName(w.SessionName, nil, "", b.options.OSUser),
	})
}

// session adds GetSessionToken, the one call whose code serves every role
// that shares key and serial. It is made in the region of the profile that
// holds the key, so that a role's region does not cost a session of its own.
func (b *planner) session(serial string) error {
	if err := checkSerial(b.resolved.Profile, serial); err != nil {
		return err
	}
	arns := make([]string, 0, len(b.roles)+1)
	for _, role := range b.roles {
		arns = append(arns, role.RoleARN)
	}
	region, part := place(b.resolved.Source.Region, append(arns, serial)...)
	if b.resolved.Source.Region == "" && part == defaultPartition {
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

// assume adds AssumeRole for every role in order. serial goes into the first
// call; chained says that this one is made with temporary credentials.
func (b *planner) assume(serial string, chained bool) error {
	if err := checkSerial(b.resolved.Profile, serial); err != nil {
		return err
	}
	for i := range b.roles {
		role := &b.roles[i]
		duration, err := b.roleDuration(i, chained || i > 0)
		if err != nil {
			return err
		}
		knownSerial := serial
		if knownSerial == "" {
			knownSerial = firstSerial(role.MFASerial, b.resolved.Source.MFASerial)
		}
		region, part := place(role.Region, role.RoleARN)
		if arnPart := partitionOfARN(role.RoleARN); arnPart != "" && arnPart != part {
			b.warn("profile %q: region %s lies in partition %s but its role in %s: AWS will refuse; set region in that profile",
				b.profileOf(role), region, part, arnPart)
		}
		step := Step{
			Operation:   OpAssumeRole,
			Profile:     b.profileOf(role),
			Duration:    duration,
			Role:        role,
			Region:      region,
			Partition:   part,
			Endpoints:   role.Endpoints,
			SessionName: roleSessionName(role.SessionName, b.card, knownSerial, b.options.OSUser),
		}
		if role.SessionName != "" && role.SessionName != step.SessionName {
			b.warn("profile %q: role_session_name was changed to %q, as AWS takes 2 to 64 letters, digits and _+=,.@- only", step.Profile, step.SessionName)
		}
		if i == 0 {
			step.MFASerial, step.MFAProcess = serial, b.mfaProcess(serial)
		}
		b.plan.Steps = append(b.plan.Steps, step)
	}
	return nil
}

// askedForLast is the duration asked for the credentials that are the answer.
func (b *planner) askedForLast() time.Duration {
	last := b.roles[len(b.roles)-1]
	return firstDuration(b.options.AssumeRoleTTL,
		time.Duration(last.DurationSeconds)*time.Second, b.resolved.Duration(), DefaultRoleDuration)
}

// roleDuration is what role i is asked for. The flag is about the answer, so
// roles on the way keep their own, and their credentials can be shared.
func (b *planner) roleDuration(i int, chained bool) (time.Duration, error) {
	role := &b.roles[i]
	own, err := configuredDuration(b.profileOf(role), role.DurationSeconds)
	if err != nil {
		return 0, err
	}
	last := i == len(b.roles)-1
	asked := firstDuration(own, DefaultRoleDuration)
	if last {
		if _, err := configuredDuration(b.resolved.Profile, b.resolved.DurationSeconds); err != nil {
			return 0, err
		}
		asked = b.askedForLast()
	}
	if chained && asked > MaxChainedDuration {
		if last {
			b.warn("profile %q: %s asked for, but AWS grants at most %s to a role assumed from a session or from another role",
				b.resolved.Name, shortDuration(asked), shortDuration(MaxChainedDuration))
		}
		return MaxChainedDuration, nil
	}
	return asked, nil
}

// profileOf names the profile that a role's credentials are minted for.
func (b *planner) profileOf(role *profile.Role) string {
	if role.Profile == "" { // --role-arn
		return b.resolved.Profile
	}
	return role.Profile
}

func (b *planner) mfaProcess(serial string) string {
	if serial == "" {
		return ""
	}
	return b.resolved.MFAProcess
}

func (b *planner) warn(format string, args ...any) {
	b.plan.Warnings = append(b.plan.Warnings, sanitizeText(fmt.Sprintf(format, args...)))
}

func firstDuration(ds ...time.Duration) time.Duration {
	for _, d := range ds {
		if d != 0 {
			return d
		}
	}
	return 0
}

// noKeyError says under which name a key is missing.
func noKeyError(r *profile.Resolved) error {
	name := r.Source.Profile
	if name == "" {
		name = r.Profile
	}
	e := &NoKeyError{Profile: r.Name, Missing: name}
	return e
}
