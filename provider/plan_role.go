package provider

import (
	"time"

	"groat/provider/profile"
)

// assume adds AssumeRole for every role in order. serial goes into the first
// call; chained says that this one is not made with a long-lived key.
func (b *planner) assume(serial string, chained bool) error {
	if err := CheckSerial(b.resolved.Profile, serial); err != nil {
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
			b.warn("profile %q: region %s is in partition %s but its role is in %s, so AWS will refuse; set region in that profile",
				b.profileOf(role), region, part, arnPart)
		}
		if before, here := b.partitionBefore(), partitionOfARN(role.RoleARN); before != "" && here != "" && here != before {
			b.warn("profile %q: its role is in partition %s, where credentials of partition %s are unknown, so AWS will refuse",
				b.profileOf(role), here, before)
		}
		step := Step{
			Operation:     OpAssumeRole,
			Profile:       b.profileOf(role),
			Duration:      duration,
			Role:          role,
			Region:        region,
			Partition:     part,
			Endpoints:     role.Endpoints,
			SessionName:   b.sessionName(role.SessionName, b.card, knownSerial),
			Agent:         b.named(role.SessionName),
			SessionPolicy: role.SessionPolicy,
		}
		if role.SessionName != "" && role.SessionName != step.SessionName {
			b.warn("profile %q: role_session_name was changed to %q, because AWS accepts only 2 to 64 letters, digits and _+=,.@-", step.Profile, step.SessionName)
		}
		if i == 0 {
			step.MFASerial, step.MFAProcess = serial, b.mfaProcess(serial)
		}
		b.plan.Steps = append(b.plan.Steps, step)
	}
	return nil
}

// partitionBefore is the partition of the credentials that sign the next
// call, "" if nothing says so.
func (b *planner) partitionBefore() string {
	n := len(b.plan.Steps)
	switch {
	case n == 0:
		return partitionOfARN(b.serial())
	case b.plan.Steps[n-1].Role != nil:
		return partitionOfARN(b.plan.Steps[n-1].Role.RoleARN)
	}
	return partitionOfARN(b.plan.Steps[n-1].MFASerial)
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
				b.resolved.Name, ShortDuration(asked), ShortDuration(MaxChainedDuration))
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

func firstDuration(ds ...time.Duration) time.Duration {
	for _, d := range ds {
		if d != 0 {
			return d
		}
	}
	return 0
}
