package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/vault/files"
)

// explainCmd shows what would be called for a profile, and why. It sends
// nothing and opens no long-lived key.
type explainCmd struct {
	minting
	JSON    bool   `name:"json" help:"Print JSON."`
	Profile string `arg:"" help:"Profile to explain."`
}

// explanation is the JSON of `explain --json`.
type explanation struct {
	Profile  string          `json:"profile"`
	Chain    []string        `json:"chain"` // profiles walked, the source last
	Source   explainedSource `json:"source"`
	Region   *string         `json:"region"`
	Agent    *string         `json:"agent"`      // the AI agent that calls; null: a person
	Rule     *string         `json:"agent_rule"` // what it may: allow, ask, read-only, deny
	Asks     bool            `json:"confirm"`    // a person is asked before the answer is handed out
	Steps    []explainedStep `json:"steps"`
	Warnings []string        `json:"warnings"`
}

type explainedSource struct {
	Kind      string  `json:"kind"`
	Profile   string  `json:"profile"`
	KeyID     *string `json:"access_key_id"`
	MFASerial *string `json:"mfa_serial"`
}

type explainedStep struct {
	Operation   string          `json:"operation"`
	Profile     string          `json:"profile"`
	RoleARN     *string         `json:"role_arn"`
	SessionName *string         `json:"role_session_name"`
	Policy      json.RawMessage `json:"policy"` // session policy; null: none
	PolicyARNs  []string        `json:"policy_arns"`
	Duration    int64           `json:"duration_seconds"` // 0: AWS decides
	MFASerial   *string         `json:"mfa_serial"`       // set where the token code goes
	MFAProcess  bool            `json:"mfa_process"`      // mfa_process gives that code
	Region      string          `json:"region"`
	Cached      bool            `json:"cached"`
	Expiration  *string         `json:"expiration"` // of what is cached
	Called      bool            `json:"called"`     // answering now would make this call
	Asks        bool            `json:"asks"`       // and ask for a token code, or a sign-in
}

// Run resolves and plans as the minting commands do, and prints.
func (c *explainCmd) Run(ctx context.Context, a *app) error {
	r, err := a.resolveFor(ctx, c.Profile, c.minting, true)
	if err != nil {
		return err
	}
	p, err := a.planOf(r, c.minting)
	if err != nil {
		return err
	}
	minter, err := a.minter(p, c.minting)
	if err != nil {
		return err
	}
	e := explain(p.Plan, r.Resolved, minter.Cached(ctx, p.Plan))
	if c.JSON {
		return writeJSON(a.streams.Out, e, true)
	}
	_, err = a.streams.Out.Write([]byte(e.text(a.now())))
	return outputError(err)
}

func explain(p *provider.Plan, r *profile.Resolved, states []provider.StepState) explanation {
	e := explanation{
		Profile: p.Profile, Chain: r.Chain, Region: orNull(p.Region), Warnings: slices.Concat([]string{}, r.Warnings, p.Warnings),
		Source: explainedSource{Kind: string(p.Source.Kind), Profile: p.Source.Profile, MFASerial: orNull(p.Source.MFASerial)},
	}
	e.Agent, e.Rule, e.Asks = orNull(p.Consent.Agent), orNull(p.Consent.Rule), p.Consent.Ask
	if p.Card != nil {
		e.Source.KeyID = &p.Card.KeyID
	}
	for i, s := range p.Steps {
		step := explainedStep{
			Operation: string(s.Operation), Profile: s.Profile, SessionName: orNull(s.SessionName), PolicyARNs: append([]string{}, s.PolicyARNs...), Duration: int64(s.Duration / time.Second),
			MFASerial: orNull(s.MFASerial), MFAProcess: s.MFAProcess != "", Region: s.Region,
			Cached: states[i].Cached, Expiration: orNull(child.FormatExpiration(states[i].Expiration)), Called: states[i].Needed, Asks: states[i].Asks,
		}
		if s.Policy != "" {
			step.Policy = json.RawMessage(s.Policy)
		}
		if s.Role != nil {
			step.RoleARN = orNull(s.Role.RoleARN)
		}
		e.Steps = append(e.Steps, step)
	}
	return e
}

// text is one screen for a person.
func (e explanation) text(now time.Time) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("profile %s", e.Profile)
	if len(e.Chain) > 1 {
		line("  chain: %s", strings.Join(e.Chain, " → "))
	}
	source := provider.SourceWords(profile.SourceKind(e.Source.Kind)) + " of profile " + e.Source.Profile
	if e.Source.KeyID != nil {
		source = "access key " + *e.Source.KeyID + " in the vault, under " + e.Source.Profile
	}
	line("  source: %s", source)
	if e.Region != nil {
		line("  region: %s", *e.Region)
	}
	for i, s := range e.Steps {
		what := s.Operation
		if s.RoleARN != nil {
			what += " " + *s.RoleARN
		}
		if s.Duration > 0 {
			what += " for " + provider.ShortDuration(time.Duration(s.Duration)*time.Second)
		}
		if s.Region != "" {
			what += " in " + s.Region
		}
		line("  %d. %s", i+1, what)
		if s.SessionName != nil {
			line("     as %s", *s.SessionName)
		}
		if s.Policy != nil {
			line("     narrowed to %s", s.Policy)
		}
		for _, arn := range s.PolicyARNs {
			line("     narrowed to %s", arn)
		}
		if s.MFASerial != nil {
			from := ""
			if s.MFAProcess {
				from = ", from mfa_process"
			}
			line("     with a token code of %s%s", *s.MFASerial, from)
		} else if s.Operation == string(provider.OpGetSessionToken) {
			line("     without MFA; to set up a device: groat mfa enroll %s", files.Word(s.Profile))
		}
		switch {
		case s.Cached && s.Expiration != nil:
			line("     cached, %s left", strings.Trim(left(*s.Expiration, now), "()"))
		case s.Cached:
			line("     cached")
		case s.Asks && s.MFAProcess:
			line("     not cached: would be called now")
		case s.Asks && s.MFASerial == nil:
			line("     not cached: would be called now, and asks for a sign-in")
		case s.Asks:
			line("     not cached: would be called now, and asks for a code")
		case s.Called:
			line("     not cached: would be called now")
		default:
			line("     not cached and not needed now")
		}
	}
	if e.Agent != nil {
		line("  called by the AI agent %s: agent = %s", *e.Agent, *e.Rule)
	}
	switch {
	case e.Rule != nil && *e.Rule == profile.AgentDeny:
		line("  nothing is handed out")
	case e.Asks:
		line("  a person is asked before credentials are handed out")
	}
	for _, w := range e.Warnings {
		line("  note: %s", w)
	}
	return onScreen(b.String())
}
