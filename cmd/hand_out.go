package cmd

import (
	"context"
	"errors"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/session"
)

// handOut is the one door by which credentials of a plan come out: once its
// profile's consent was had, and with a line in the log.
func (a *app) handOut(ctx context.Context, p *planned, minter *provider.Minter) (session.Credentials, error) {
	cached := false
	if err := a.consent(ctx, p); err != nil {
		a.logHandOut(p, session.Credentials{}, false, err)
		return session.Credentials{}, err
	}
	minter.Answered = func(fromCache bool) { cached = fromCache }
	creds, err := minter.Credentials(ctx, p.Plan)
	a.logHandOut(p, creds, cached, err)
	return creds, err
}

// The results of a request in the log.
const (
	logMinted   = "minted"
	logCached   = "cached"
	logRefused  = "refused"  // by AWS
	logDeclined = "declined" // by a person, or since there was nobody to answer
)

// logHandOut notes what was handed out, and what AWS or a person refused;
// other failures are no answer to anybody. That it cannot be noted is said,
// and stops nothing.
func (a *app) logHandOut(p *planned, creds session.Credentials, cached bool, failure error) {
	l := a.paths.requestLog()
	if !l.on() {
		return
	}
	var result string
	switch exitCode(context.Background(), failure) {
	case exitOK:
		if result = logMinted; cached {
			result = logCached
		}
	case exitRefused:
		result = logRefused
	case exitNoCode:
		result = logDeclined
	default:
		if !errors.Is(failure, provider.ErrCancelled) {
			return
		}
		result = logDeclined
	}
	last := p.Steps[len(p.Steps)-1]
	e := logEntry{
		Time: a.now().UTC().Format(time.RFC3339), Profile: a.aws.typedName(p.Profile), Command: a.command, Result: result,
		RoleARN: orNull(roleOf(p.Plan)), SessionName: orNull(last.SessionName), AccessKeyID: orNull(creds.AccessKeyID),
		Expiration: orNull(child.FormatExpiration(creds.Expiration)), Caller: orNull(child.CalledBy(child.Callers())), Agent: orNull(a.agent()),
	}
	if err := l.append(e); err != nil {
		a.warn("could not write to the log " + l.path() + ": " + plainReason(err).Error())
	}
}

// roleOf is the role whose credentials a plan answers with; "" if none.
func roleOf(p *provider.Plan) string {
	for i := len(p.Steps) - 1; i >= 0; i-- {
		if role := p.Steps[i].Role; role != nil {
			return role.RoleARN
		}
	}
	if w := p.Source.WebIdentity; w != nil {
		return w.RoleARN
	}
	return ""
}
