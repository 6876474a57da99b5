package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"groat/provider/profile"
	"groat/session"
	"groat/session/flight"
	"groat/vault/fault"
	"groat/vault/files"
)

// SignInRequest is what a person needs to sign in.
type SignInRequest struct {
	Profile  string // asked for by the user
	Service  string // that is signed in to: "IAM Identity Center", "AWS"
	As       string // at which start URL, or as whom; "" where any will do
	Reason   string // why the sign-in of before does not do; "" where there is none
	URL      string // to open in a browser; a secret for as long as the sign-in lasts
	UserCode string // to compare with what the page shows; "" where the browser answers to this machine
	Expires  time.Time
}

// SignIn shows a person where to sign in. Errors wrap ErrNoCode, ErrCancelled
// or ErrInterrupted.
type SignIn interface {
	// LocalBrowser reports whether the browser will run on this machine, so
	// that it can answer to a loopback port; else a code that is shown there is
	// typed here, or confirmed there. It fails where nobody can be reached,
	// before anything is sent. The request has no URL yet.
	LocalBrowser(req SignInRequest) (bool, error)
	// Callback opens a page on loopback that takes the one answer, for this path
	// and with this state, that the browser brings back.
	Callback(ctx context.Context, path, state string) (*Callback, error)
	// Show opens a browser or prints the address, and returns at once.
	Show(ctx context.Context, req SignInRequest) error
	// Paste prints the address and waits for the code that its page shows.
	Paste(ctx context.Context, req SignInRequest) (string, error)
}

// Callback is a page that is open until it is closed.
type Callback struct {
	URL    string            // the redirect URI
	Answer <-chan url.Values // the query of the answer
	Close  func()
}

// signInService is where a person signs in for a source.
type signInService interface {
	// asks reports whether somebody would have to sign in now. It sends nothing.
	asks(ctx context.Context) bool
	// anew has a person sign in although that may not be needed.
	anew(ctx context.Context) error
	// end ends the kept sign-in at the service, where there is a call for it.
	end(ctx context.Context) error
	kept() kept
}

// SignInTo has a person sign in to the plan's source, whether or not that is
// needed: for AWS Sign-In or IAM Identity Center.
func (m *Minter) SignInTo(ctx context.Context, p *Plan) error {
	step := &p.Steps[0]
	o, err := m.callOptions(step)
	if err != nil {
		return err
	}
	return sourceOf(p.Source.Kind).signIn(m, o, &p.Source, p.Profile).anew(ctx)
}

// SignOut ends the sign-in that is kept under a name, at its service too where
// a source that uses it is known, and forgets it with whatever can renew it.
// there reports that there was one.
func (m *Minter) SignOut(ctx context.Context, name string, s *profile.Source) (there bool, err error) {
	return kept{m: m, name: name}.remove(ctx, func() {
		if s == nil {
			return
		}
		o, err := m.callOptions(&Step{Profile: s.Profile, Endpoints: s.Endpoints})
		if err == nil {
			err = sourceOf(s.Kind).signIn(m, o, s, s.Profile).end(ctx)
		}
		if err != nil {
			m.warn(fmt.Sprintf("the sign-in was forgotten here, but could not be ended at %s: %v", SourceWords(s.Kind), err))
		}
	})
}

// SignInName is the name under which the sign-in of a source is kept; "" for
// sources without one. Profiles that share a sign-in have the same.
func SignInName(s *profile.Source) string {
	signIn := sourceOf(s.Kind).signIn
	if signIn == nil {
		return ""
	}
	return signIn(nil, CallOptions{Endpoints: s.Endpoints}, s, "").kept().name
}

// Names of services, as people know them.
const (
	nameIdentityCenter = "IAM Identity Center"
	nameSignIn         = "AWS"
)

// askToSignIn bounds the wait for a person and says whether the browser will
// run here.
func (m *Minter) askToSignIn(ctx context.Context, req SignInRequest) (bounded context.Context, cancel func(), local bool, err error) {
	cancel = func() {}
	if m.SignIn == nil {
		return ctx, cancel, false, notSignedIn(req, "and there is nobody to ask", nil)
	}
	if !m.AskUntil.IsZero() {
		ctx, cancel = context.WithDeadlineCause(ctx, m.AskUntil, errSignInOver)
	}
	local, err = m.SignIn.LocalBrowser(req)
	return ctx, cancel, local, err
}

// errSignInOver ends the wait for a person where there is a limit to it.
var errSignInOver = errors.New("nobody signed in in time")

// notSignedIn says why nobody signed in: why is "and …", after what is needed;
// cause may be nil.
func notSignedIn(req SignInRequest, why string, cause error) error {
	text := fmt.Sprintf("profile %q needs a sign-in to %s", req.Profile, req.Service)
	if req.Reason != "" {
		text += " (" + req.Reason + ")"
	}
	return fault.New(text+", "+why, fmt.Sprintf("run `groat signin %s` in a terminal", files.Word(req.Profile)), errors.Join(ErrNoCode, cause))
}

// gaveUp is what is to be said when something else has ended the wait for a person.
func gaveUp(req SignInRequest, cause error) error {
	return notSignedIn(req, "and the wait for it ended", cause)
}

// tooSlow is what is to be said when the service no longer waits for one.
func tooSlow(req SignInRequest) error {
	return notSignedIn(req, "and "+errSignInOver.Error(), nil)
}

// denied is what is to be said when the person said no in the browser; code is
// the service's word for it.
func denied(req SignInRequest, code string) error {
	return fmt.Errorf("profile %q: the sign-in was denied in the browser (%s): %w", req.Profile, code, ErrCancelled)
}

// kept is a sign-in's place among the tokens.
type kept struct {
	m             *Minter
	profile, name string
}

// alone runs what uses or replaces a sign-in while no other process does. Those
// that come meanwhile wait, and share a failure that is final.
func (k kept) alone(ctx context.Context, do func() error) error {
	release, err := k.m.Cache.Flight.Ask(ctx, "sign-in "+k.name)
	if err != nil {
		return err
	}
	err = do()
	release(err)
	return err
}

// remove forgets the sign-in once it was ended; there reports that there was one.
func (k kept) remove(ctx context.Context, end func()) (there bool, err error) {
	remove := func() error { end(); return k.m.Tokens.Remove(ctx, k.name) }
	if err = k.alone(ctx, remove); errors.Is(err, flight.ErrEnded) {
		err = remove() // what was waited for has failed
	}
	if errors.Is(err, session.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// read gets what is kept into v; what cannot be understood counts as missing.
func (k kept) read(ctx context.Context, v any) error {
	if k.m.Tokens == nil {
		return session.ErrNotFound
	}
	data, err := k.m.Tokens.Get(ctx, k.name)
	if err == nil && json.Unmarshal(data, v) != nil {
		return session.ErrNotFound
	}
	return err
}

// load is read for who signs in where nothing is kept: a damaged sign-in is
// none, with a warning. A vault that does not open could keep none either.
func (k kept) load(ctx context.Context, v any) (ok bool, err error) {
	err = k.read(ctx, v)
	switch {
	case errors.Is(err, session.ErrDamaged):
		k.m.warn(fmt.Sprintf("profile %q: the stored sign-in cannot be read: %v", k.profile, err))
	case err != nil && !errors.Is(err, session.ErrNotFound):
		return false, err
	}
	return err == nil, nil
}

// put keeps v. A caller that gives up now still leaves it to the others.
func (k kept) put(ctx context.Context, v any) error {
	if k.m.Tokens == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return k.m.Tokens.Put(context.WithoutCancel(ctx), k.name, data)
}

// save is put for what is good whether or not it can be kept.
func (k kept) save(ctx context.Context, v any) {
	if err := k.put(ctx, v); err != nil {
		k.m.warn(fmt.Sprintf("profile %q: the sign-in could not be stored, the next call signs in again: %v", k.profile, err))
	}
}
