package provider

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// ErrNarrow marks an answer that cannot be narrowed as it was asked. It is a
// profile.ErrUnsupported.
var ErrNarrow = fmt.Errorf("not narrowed: %w", profile.ErrUnsupported)

func cannotNarrow(name, why, remedy string) error {
	return fault.New(fmt.Sprintf("profile %q %s", name, why), remedy, ErrNarrow)
}

const storeKey = "store that key in the vault, where sessions are made of it: `groat add PROFILE`"

// narrow adds GetScopedCredentials where a session policy is asked for and no
// role is assumed that takes it.
func (b *planner) narrow() error {
	policy := b.scope
	if !policy.Narrows() {
		return nil
	}
	before := b.plan.Steps[len(b.plan.Steps)-1]
	switch {
	case len(policy.PolicyARNs) > 0:
		return cannotNarrow(b.resolved.Name, "assumes no role, and AWS accepts policy ARNs only with a role",
			"write what they allow as a policy document: --policy, or the profile's policy")
	case before.Operation == OpKey:
		return cannotNarrow(b.resolved.Name, "cannot be narrowed with --no-session: a long-lived access key can always do everything that its user can",
			"leave --no-session out, or leave the policy out")
	case b.resolved.Source.LongLived:
		return cannotNarrow(b.resolved.Name, "cannot be narrowed: the environment holds a long-lived access key, which can always do everything that its user can",
			storeKey)
	}
	step := Step{
		Operation:     OpScoped,
		Profile:       b.resolved.Profile,
		Region:        cmp.Or(b.resolved.Region, before.Region),
		Endpoints:     regional(b.resolved.Source.Endpoints),
		SessionPolicy: policy,
		Description:   scopeDescription(b.resolved.Name, b.options.Agent),
	}
	if before.Region != "" && profile.PartitionOf(step.Region) != before.Partition {
		step.Region = before.Region // what the shell says of other work
	}
	if step.Region == globalRegion {
		step.Region = ""
	}
	step.Region, step.Partition = place(step.Region)
	if before.Role == nil && before.Operation != OpGetSessionToken && before.Operation != OpWebIdentity {
		step.Duration = firstDuration(b.options.AssumeRoleTTL, b.options.SessionTTL)
	}
	b.plan.Steps = append(b.plan.Steps, step)
	return nil
}

// The one endpoint of STS that serves all old regions, and the region that
// means it.
const (
	globalRegion = "aws-global"
	globalHost   = "sts.amazonaws.com"
)

// regional leads around the global endpoint, which has no GetScopedCredentials.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetScopedCredentials.html
func regional(e profile.Endpoints) profile.Endpoints {
	e.STSRegional = "regional"
	e.URL = maps.Clone(e.URL)
	maps.DeleteFunc(e.URL, func(_, custom string) bool {
		u, err := url.Parse(custom)
		return err == nil && strings.EqualFold(u.Hostname(), globalHost)
	})
	return e
}

// maxScopeDescription is AWS's limit for ScopedSessionDescription, in characters.
const maxScopeDescription = 256

// scopeDescription is what CloudTrail shows beside the identity, which stays
// that of the session.
func scopeDescription(name, agent string) string {
	if agent != "" {
		name += ", agent " + agent
	}
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, "groat: profile "+name)
	return s[:min(len(s), maxScopeDescription)]
}
