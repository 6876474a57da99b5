package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"groat/cmd/child"
	"groat/cmd/loopback"
	"groat/provider"
	"groat/session"
	"groat/vault/fault"
)

// served says how credentials are served.
type served struct {
	Profile   string
	Minting   minting
	Port      int  // 0: a random one
	Metadata  bool // IMDSv2 instead of the container endpoint
	V1        bool // IMDSv1 too
	AnyUser   bool // processes of other users may ask for metadata
	TokenFile bool // the token lies in a file, not in a variable
}

// forMetadata are the flags with which credentials for an instance metadata
// server are minted.
func (m minting) forMetadata() minting {
	if m.MinTTL == 0 {
		m.MinTTL = ttl(loopback.MetadataMinTTL)
	}
	return m
}

// start opens a server for credentials that were minted already and
// keeps them fresh until stop is called.
func (s served) start(ctx context.Context, a *app, creds session.Credentials, region string) (child.Server, func(), error) {
	// A signal that is meant for the child must not end its server.
	ctx = context.WithoutCancel(ctx)
	r := s.refresher(a)
	source := func(ctx context.Context) (session.Credentials, error) {
		c, err := r.Current(ctx)
		if err != nil {
			err = errors.New(withHint(err))
		}
		return c, err
	}
	var env child.Server
	o := loopback.Options{Port: s.Port, AnyUser: !s.Metadata || s.AnyUser}
	removeToken := func() {}
	if s.Metadata {
		m := &loopback.Metadata{Profile: s.Profile, Region: region, Source: source, Now: a.now, V1: s.V1}
		o.Handler = m.Handler
	} else {
		env.Token = loopback.NewToken()
		o.Handler = loopback.Container(env.Token, source)
		if s.TokenFile {
			var err error
			if env.TokenFile, removeToken, err = s.writeToken(a, env.Token); err != nil {
				return child.Server{}, nil, err
			}
		}
	}
	stopRenewing := r.Start(ctx, creds)
	server, err := loopback.Listen(ctx, o)
	if err != nil {
		stopRenewing()
		removeToken()
		if errors.Is(err, loopback.ErrUnknownUsers) {
			err = fault.New(err.Error(), "use --server, which needs a token", err)
		}
		return child.Server{}, nil, err
	}
	if s.Metadata {
		env.MetadataURL = "http://" + server.Addr + "/" // botocore before 1.31 adds its paths without a slash
	} else {
		env.URI = "http://" + server.Addr + loopback.ContainerPath
	}
	return env, func() {
		stopRenewing()
		server.Stop()
		removeToken()
	}, nil
}

// refresher renews by the same road as a command would, with the profile
// resolved anew each time: keys are rotated and configurations edited while
// a server stands.
func (s served) refresher(a *app) *loopback.Refresher {
	m := s.Minting
	m.MFACode = "" // single use: it went into the first mint
	renew := func(codes provider.CodeSource) func(context.Context) (session.Credentials, error) {
		return func(ctx context.Context) (session.Credentials, error) {
			a.aws.reread()
			plan, minter, err := a.prepare(ctx, s.Profile, m)
			if err != nil {
				return session.Credentials{}, err
			}
			if codes != nil {
				minter.Codes, minter.SignIn = codes, nil
				minter.Cache.Flight.Waiting = nil // not over another process's question
			}
			return a.handOut(ctx, plan, minter)
		}
	}
	r := &loopback.Refresher{
		Quiet: renew(noCodes{a.prompts}), Now: a.now, Sleep: loopback.Sleep,
		Asking: func(left time.Duration) {
			a.say(fmt.Sprintf("the credentials expire in %s; a token code renews them", provider.ShortDuration(left)))
		},
		Unanswered: func(err error) { a.say(withHint(err)) },
	}
	if a.prompts.ui().CanAsk() == nil {
		r.Ask = renew(nil)
	}
	return r
}

// noCodes asks nobody.
type noCodes struct{ *prompts }

// TokenCode says what to do elsewhere: the cache is shared.
func (c noCodes) TokenCode(_ context.Context, req provider.CodeRequest) (string, error) {
	return "", c.needsPerson(fmt.Sprintf("a token code of %s is needed to renew the credentials of profile %s", req.MFASerial, quote(req.Profile)), req.Profile)
}

// writeToken puts a server's token into a private file. XDG_RUNTIME_DIR is
// in memory and gone at logout; elsewhere the state directory takes it.
func (served) writeToken(a *app, token string) (path string, remove func(), err error) {
	base := a.getenv("XDG_RUNTIME_DIR")
	if st, err := os.Stat(base); base == "" || err != nil || !st.IsDir() {
		base = a.paths.state
	}
	fail := func(err error) (string, func(), error) {
		return "", func() {}, fmt.Errorf("could not write the token file in %s: %w", base, plainReason(err))
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return fail(err)
	}
	dir, err := os.MkdirTemp(base, "groat-token-") // 0700
	if err != nil {
		return fail(err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, "token")
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		remove()
		return fail(err)
	}
	return path, remove, nil
}
