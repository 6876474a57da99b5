package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/provider"
	"groat/session"
	"groat/session/flight"
	"groat/vault/fault"
)

// errDeclined says that a person did not agree to what was asked for, or that
// there was nobody to agree.
var errDeclined = errors.New("not agreed to")

// consent has a person asked before a plan's credentials are handed out,
// where the profile's confirm or agent wants it. A process asks once: a server
// that renews serves what was agreed to when it was started.
func (a *app) consent(ctx context.Context, p *planned) error {
	c := p.Consent
	switch {
	case c.Denied():
		return fault.New("profile "+quote(a.aws.typedName(p.Profile))+" gives nothing to AI agents (agent = deny), and "+c.Agent+" is asking",
			"run it yourself, in a terminal of your own", errDeclined)
	case !c.Ask:
		return nil
	}
	a.prompts.heedSignals()
	callers := child.Callers()
	what := a.requested(p, callers)
	key := what.key()
	if _, agreed := a.consented.Load(key); agreed {
		return nil
	}
	ask := func(ctx context.Context) (bool, error) {
		if err := what.ask(ctx, a.prompts, c.Agent != ""); err != nil {
			return false, err
		}
		a.consented.Store(key, true)
		if c.Remember == 0 || what.boot == "" {
			return false, nil
		}
		if err := a.paths.consents().note(what.profile, key, a.now().Add(c.Remember), a.now()); err != nil {
			a.warn("could not remember that you agreed: " + plainReason(err).Error())
		}
		return true, nil
	}
	if c.Remember == 0 {
		_, err := ask(ctx)
		return err
	}
	if _, err := a.paths.consents().load(); err != nil {
		a.warn("what you agreed to before does not count: " + err.Error())
	}
	group := flight.Group{
		Dir: filepath.Join(a.paths.state, "locks"), Warn: a.warn, Debugf: a.debugf, Outcomes: consentOutcomes{what.profile},
		Waiting: func(holder string, _ bool) func() {
			return a.prompts.waiting(holder, "which asks whether credentials may be handed out")
		},
	}
	return group.Do(ctx, flight.Work{
		Name: "consent " + key, For: what.profile, Attempt: ask,
		Look: func() (bool, error) {
			return a.paths.consents().holds(what.profile, key, c.Remember, a.now()), nil
		},
	})
}

// consentRequest is all that a person agrees to: another role, policy, program
// or agent is another question, and so is the next start of the system.
type consentRequest struct {
	profile, role, agent, command, caller, boot string
	narrowing                                   []string
	callers                                     []string
}

func (a *app) requested(p *planned, callers []child.Caller) consentRequest {
	r := consentRequest{profile: a.aws.typedName(p.Profile), role: roleOf(p.Plan), agent: p.Consent.Agent, command: a.command,
		caller: child.CalledBy(callers), callers: child.Paths(callers), boot: child.BootID()}
	for _, s := range p.Steps {
		r.narrowing = append(r.narrowing, s.PolicyARNs...)
		if s.Policy != "" {
			r.narrowing = append(r.narrowing, s.Policy)
		}
	}
	return r
}

func (r consentRequest) key() string {
	fields := append([]string{r.profile, r.role, r.agent, r.caller, r.boot}, r.narrowing...)
	return string(session.NewKey(fields...))
}

// ask asks. Under an agent a window comes first: an agent can type
// into its own terminal.
func (r consentRequest) ask(ctx context.Context, p *prompts, windowFirst bool) error {
	if p.tooLate() {
		return r.unanswered(terminal.ErrTimeout)
	}
	narrowing := make([]string, len(r.narrowing))
	for i, policy := range r.narrowing {
		narrowing[i] = shortened(policy, 200)
	}
	q := terminal.Question{
		Title: "Hand out AWS credentials?",
		Details: []terminal.Detail{
			{Name: "profile", Value: r.profile},
			{Name: "role", Value: r.role},
			{Name: "only", Value: strings.Join(narrowing, ", ")},
			{Name: "agent", Value: r.agent},
			{Name: "command", Value: "groat " + r.command},
			{Name: "called by", Value: strings.Join(r.callers, " < ")},
		},
		Prompt: "hand them out?",
	}
	agreed, err := p.ui().Approve(ctx, q, windowFirst)
	switch {
	case errors.Is(err, terminal.ErrInterrupted) && !declined(err):
		return errors.Join(provider.ErrInterrupted, err)
	case errors.Is(err, terminal.ErrInterrupted):
		return fault.New(provider.ErrInterrupted.Error(), "", errors.Join(errDeclined, err))
	case err != nil:
		return r.unanswered(err)
	case !agreed:
		return consentOutcomes{r.profile}.Restore(consentDeclined)
	}
	return nil
}

func (r consentRequest) unanswered(err error) error {
	return fault.New("profile "+quote(r.profile)+" hands out credentials only after a person has agreed, and nobody has: "+err.Error(),
		"run it where there is a terminal or a desktop", errors.Join(errDeclined, err))
}

// consentDeclined is the outcome that ends the wait of others for one question.
const consentDeclined = "declined"

// consentOutcomes tells those who wait that a person said no.
type consentOutcomes struct{ profile string }

// Final is the code of a no.
func (consentOutcomes) Final(err error) string {
	if errors.Is(err, errDeclined) && !slices.ContainsFunc([]error{terminal.ErrTimeout, terminal.ErrNoTerminal}, func(own error) bool { return errors.Is(err, own) }) {
		return consentDeclined
	}
	return ""
}

// Restore words it.
func (o consentOutcomes) Restore(code string) error {
	if code != consentDeclined {
		return nil
	}
	return fault.New("no credentials of profile "+quote(o.profile)+" were handed out: the answer was no", "", errDeclined)
}
