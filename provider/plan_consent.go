package provider

import (
	"cmp"
	"slices"
	"time"

	"groat/provider/profile"
)

// Consent says what is to be asked before a plan's credentials are handed
// out, cached or not.
type Consent struct {
	Agent    string        // the AI agent that calls; "" = a person
	Rule     string        // what it may: one of profile.AgentWords; "" without an agent
	Ask      bool          // a person is asked
	Remember time.Duration // a yes counts for so long; 0 = once
}

// Denied reports that nothing is handed out to this caller.
func (c Consent) Denied() bool { return c.Rule == profile.AgentDeny }

const remember15m = 15 * time.Minute

// consent decides what stands between the answer and whoever calls.
func (b *planner) consent() error {
	c := &b.plan.Consent
	c.Agent = b.options.Agent
	c.Ask = b.resolved.Confirm != ""
	if b.resolved.Confirm == profile.Confirm15m {
		c.Remember = remember15m
	}
	if c.Agent == "" {
		return nil
	}
	c.Rule = cmp.Or(b.resolved.Agent, b.options.AgentRule, profile.AgentAllow)
	c.Ask = c.Ask || c.Rule == profile.AgentAsk
	if c.Rule == profile.AgentReadOnly {
		return b.readOnly()
	}
	return nil
}

// readOnly narrows the role that answers to AWS's ReadOnlyAccess. Two session
// policies allow what either allows: a policy beside it is applied by a call
// of its own, after the role's.
func (b *planner) readOnly() error {
	var own *profile.SessionPolicy
	var arn string
	switch n := len(b.roles); {
	case n > 0:
		own, arn = &b.roles[n-1].SessionPolicy, b.roles[n-1].RoleARN
	case b.plan.Source.WebIdentity != nil:
		w := *b.plan.Source.WebIdentity
		b.plan.Source.WebIdentity, own, arn = &w, &w.SessionPolicy, w.RoleARN
	default:
		return cannotNarrow(b.resolved.Name, "assumes no role, and only a role can be made read-only for an AI agent (agent = read-only)",
			"give the profile a role, or write agent = ask")
	}
	readOnly := "arn:" + cmp.Or(partitionOfARN(arn), defaultPartition) + ":iam::aws:policy/ReadOnlyAccess"
	if len(own.PolicyARNs) > 0 && !slices.Equal(own.PolicyARNs, []string{readOnly}) {
		return cannotNarrow(b.resolved.Name, "is read-only for AI agents (agent = read-only) and has policies of its own: AWS would allow what either allows",
			"leave policy_arns or --policy-arn out, or write what they allow as a policy document")
	}
	b.scope.Policy = own.Policy
	*own = profile.SessionPolicy{PolicyARNs: []string{readOnly}}
	return nil
}

// sessionName is the role session name, which also says which agent calls,
// unless the profile has a name of its own.
func (b *planner) sessionName(configured string, card *Card, serial string) string {
	name := roleSessionName(configured, card, serial, b.options.OSUser)
	if agent := b.named(configured); agent != "" {
		name = sanitizeSessionName(agent + "-" + name)
	}
	return name
}

// named is the agent that a session's name shows.
func (b *planner) named(configured string) string {
	if configured != "" {
		return ""
	}
	return b.options.Agent
}
