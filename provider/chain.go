package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"groat/session"
	"groat/vault/fault"
	"groat/vault/files"
)

// Credentials answers for a plan with the credentials of its last step. The
// steps are resolved from the last to the first: a cached answer is served
// without a look at what it was minted from, and only what is missing is
// minted, one process at a time.
//
// Errors wrap one of this package's sentinels, a profile error, or what Keys
// and the cache's store returned.
func (m *Minter) Credentials(ctx context.Context, p *Plan) (session.Credentials, error) {
	if len(p.Steps) == 0 {
		return session.Credentials{}, missingKey(p.Profile, p.Profile)
	}
	if err := m.checkCircle(p); err != nil {
		return session.Credentials{}, err
	}
	r := &run{m: m, plan: p, fromCache: make([]bool, len(p.Steps))}
	last := len(p.Steps) - 1
	creds, err := r.credentials(ctx, last)
	if err == nil && m.Answered != nil {
		m.Answered(r.fromCache[last])
	}
	return creds, err
}

// run is one answer in the making.
type run struct {
	m         *Minter
	plan      *Plan
	fromCache []bool // by step: its credentials were not minted by this run
}

// credentials resolves step i, through the cache where its operation has one.
func (r *run) credentials(ctx context.Context, i int) (session.Credentials, error) {
	if r.plan.kept(i) == "" {
		return r.mint(ctx, i)
	}
	minted := false
	creds, err := r.m.Cache.Do(ctx, r.request(i), func(ctx context.Context) (session.Credentials, error) {
		minted = true
		return r.mint(ctx, i)
	})
	r.fromCache[i] = !minted
	if minted && err == nil {
		r.dropIfReplaced(ctx, i)
	}
	return creds, err
}

// dropIfReplaced takes back what was stored for a key that was replaced while
// it was minted from: whoever replaced it has dropped only what there was.
func (r *run) dropIfReplaced(ctx context.Context, i int) {
	if r.plan.Card == nil {
		return
	}
	now, err := r.m.Keys.Card(ctx, r.plan.Source.Profile)
	if err != nil && !errors.Is(err, ErrNoKey) || err == nil && now.Generation == r.plan.Card.Generation {
		return
	}
	if err := r.m.Cache.Drop(context.WithoutCancel(ctx), r.request(i).Key); err != nil {
		r.m.warn(err.Error())
	}
}

// mint makes the call of step i, and refuses credentials that are over.
func (r *run) mint(ctx context.Context, i int) (session.Credentials, error) {
	creds, err := r.make(ctx, i)
	if err == nil {
		step := &r.plan.Steps[i]
		err = alive(creds, string(step.Operation), step.Profile, r.m.now())
	}
	if err != nil {
		return session.Credentials{}, err
	}
	return creds, nil
}

// alive refuses credentials that had expired when they came, whoever gave
// them: nothing accepts them, and every caller would come back at once.
func alive(c session.Credentials, operation, profile string, now time.Time) error {
	if c.Expiration.IsZero() || c.Expiration.After(now) {
		return nil
	}
	return fault.New(fmt.Sprintf("%s for profile %q gave credentials that expired at %s", operation, profile, c.Expiration.UTC().Format(time.RFC3339)),
		fmt.Sprintf("this machine's clock says %s: set it right if it is wrong; otherwise the source hands out old credentials", now.UTC().Format(time.RFC3339)),
		ErrUnreachable) // trying later may help, nothing was refused
}

// make makes the call of step i.
func (r *run) make(ctx context.Context, i int) (session.Credentials, error) {
	step := &r.plan.Steps[i]
	if _, ok := calls[step.Operation]; !ok {
		return sourceOf(r.plan.Source.Kind).fetch(r, ctx, step)
	}
	parent, err := r.parent(ctx, i)
	if err != nil {
		return session.Credentials{}, err
	}
	creds, err := r.call(ctx, i, parent)
	if i == 0 || !r.fromCache[i-1] || !isRefusedParent(err) {
		return creds, err
	}
	// The parent came out of the cache and AWS will not have it: its key was
	// deleted, or its clock was wrong. It is forgotten and minted once more.
	r.debugf("AWS refused the cached credentials of profile %q; minting new ones", r.plan.Steps[i-1].Profile)
	if lost := r.forget(ctx, i-1, parent); lost != nil {
		// It would be found again: past the cache, then.
		r.m.warn(lost.Error())
		parent, err = r.mint(ctx, i-1)
	} else {
		parent, err = r.parent(ctx, i)
	}
	if err != nil {
		return session.Credentials{}, err
	}
	return r.call(ctx, i, parent)
}

// parent gives the credentials that sign step i: those of the step before,
// or the long-lived key.
func (r *run) parent(ctx context.Context, i int) (session.Credentials, error) {
	if i > 0 {
		return r.credentials(ctx, i-1)
	}
	return r.rootKey(ctx, nil)
}

// rootKey opens the long-lived key. Nothing else in a chain does.
func (r *run) rootKey(ctx context.Context, _ *Step) (session.Credentials, error) {
	if s := r.plan.Source.Static; s != nil {
		return session.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}, nil
	}
	key, err := r.m.Keys.Key(ctx, r.plan.Source.Profile)
	if errors.Is(err, ErrNoKey) {
		return session.Credentials{}, err
	}
	if err != nil {
		return session.Credentials{}, fmt.Errorf("could not read the access key of profile %q: %w", r.plan.Source.Profile, err)
	}
	if c := r.plan.Card; c != nil && c.Generation != key.Generation {
		// The cache would keep the new key's sessions as the old one's.
		if err := r.m.Keys.Mend(ctx, r.plan.Source.Profile); err != nil {
			return session.Credentials{}, err
		}
		name := r.plan.Source.Profile
		return session.Credentials{}, fault.New(fmt.Sprintf("profile %q: %v since its card was read", name, ErrKeyReplaced),
			fmt.Sprintf("run this again; if that does not help, store the key again with `groat add --overwrite %s`", files.Word(name)), ErrKeyReplaced)
	}
	creds := session.OfKey(key)
	if r.plan.Card != nil {
		creds.AccountID = r.plan.Card.Account
	}
	return creds, nil
}

// call makes the call of step i with its parent's credentials, asking for a
// token code if one goes into it.
func (r *run) call(ctx context.Context, i int, parent session.Credentials) (session.Credentials, error) {
	step := &r.plan.Steps[i]
	o, err := r.m.callOptions(step)
	if err != nil {
		return session.Credentials{}, err
	}
	if _, err := endpointFor(serviceSTS, step.Region, step.Endpoints); err != nil {
		return session.Credentials{}, err // before anybody is asked
	}
	send := func(code string) (session.Credentials, error) {
		creds, err := calls[step.Operation].send(r, ctx, o, parent, step, code)
		return creds, explain(err, refusal{plan: r.plan, step: i, creds: parent, region: step.Region})
	}
	if step.MFASerial == "" {
		return send("")
	}
	return r.withCode(ctx, step, send)
}

// isRefusedParent reports whether AWS no longer takes the credentials that
// signed a call.
func isRefusedParent(err error) bool {
	var e *CallError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException":
		return true
	}
	return false
}

// forget drops the cached credentials of step i, unless another process has
// dropped or replaced them since.
func (r *run) forget(ctx context.Context, i int, refused session.Credentials) error {
	req := r.request(i)
	if now, ok, err := r.m.Cache.Get(ctx, req); err == nil && (!ok || now.AccessKeyID != refused.AccessKeyID) {
		return nil
	}
	return r.m.Cache.Drop(ctx, req.Key)
}

func (r *run) debugf(format string, args ...any) { r.m.debugf(format, args...) }

func (m *Minter) debugf(format string, args ...any) {
	if m.Debugf != nil {
		m.Debugf(format, args...)
	}
}

func (m *Minter) warn(msg string) {
	if m.Warn != nil {
		m.Warn(msg)
	}
}

func (m *Minter) machine() string {
	if m.Machine == nil {
		return ""
	}
	name, err := m.Machine()
	if err != nil {
		return ""
	}
	return name
}

func (m *Minter) getenv(name string) string {
	if m.Getenv == nil {
		return ""
	}
	return m.Getenv(name)
}
