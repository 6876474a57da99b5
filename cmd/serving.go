package cmd

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"groat/cmd/child"
	"groat/provider"
	"groat/session"
)

// serving says how credentials are served.
type serving struct {
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
		m.MinTTL = ttl(metadataMinTTL)
	}
	return m
}

// startServing opens a server for credentials that were minted already and
// keeps them fresh until stop is called.
func (a *app) startServing(ctx context.Context, s serving, creds session.Credentials, region string) (child.Server, func(), error) {
	// A signal that is meant for the child must not end its server.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := a.refresher(s)
	r.set(creds, nil)
	done := make(chan struct{})
	var env child.Server
	var server *localServer
	var err error
	removeToken := func() {}
	if s.Metadata {
		server, err = serveLocal(ctx, s.Port, func(string) http.Handler {
			m := &metadata{Profile: s.Profile, Region: region, Source: r.current, Now: a.now, V1: s.V1}
			if s.AnyUser {
				return m.handler()
			}
			return onlyOwnUser(m.handler())
		})
	} else {
		env.Token = newToken()
		if s.TokenFile {
			env.TokenFile, removeToken, err = a.writeToken(env.Token)
		}
		if err == nil {
			server, err = serveLocal(ctx, s.Port, func(string) http.Handler { return containerHandler(env.Token, r.current) })
		}
	}
	if err != nil {
		cancel()
		removeToken()
		return child.Server{}, nil, err
	}
	if s.Metadata {
		env.MetadataURL = "http://" + server.Addr + "/" // botocore before 1.31 adds its paths without a slash
	} else {
		env.URI = "http://" + server.Addr + containerPath
	}
	go func() {
		defer close(done)
		r.run(ctx, creds)
	}()
	return env, func() {
		cancel()
		<-done
		server.stop()
		removeToken()
	}, nil
}

// refresher renews by the same road as a command would, with the profile
// resolved anew each time: keys are rotated and configurations edited while
// a server stands.
func (a *app) refresher(s serving) *refresher {
	m := s.Minting
	m.MFACode = "" // single use: it went into the first mint
	renew := func(codes provider.CodeSource) func(context.Context) (session.Credentials, error) {
		return func(ctx context.Context) (session.Credentials, error) {
			plan, err := a.plan(ctx, s.Profile, m)
			if err != nil {
				return session.Credentials{}, err
			}
			minter, err := a.minter(ctx, plan, m)
			if err != nil {
				return session.Credentials{}, err
			}
			if codes != nil {
				minter.Codes, minter.SignIn = codes, nil
				minter.Cache.Flight.Waiting = nil // not over another process's question
			}
			return minter.Credentials(ctx, plan)
		}
	}
	r := &refresher{Quiet: renew(noCodes{a}), Announce: a.say, Now: a.now, Sleep: sleep}
	if a.ui().CanAsk() == nil {
		r.Ask = renew(nil)
	}
	return r
}

// noCodes asks nobody.
type noCodes struct{ a *app }

// TokenCode says what to do elsewhere: the cache is shared.
func (c noCodes) TokenCode(_ context.Context, req provider.CodeRequest) (string, error) {
	return "", &sayError{
		msg:   fmt.Sprintf("a token code of %s is needed to renew the credentials of profile %s", req.MFASerial, quote(req.Profile)),
		hint:  c.a.askInTerminal(req.Profile),
		class: provider.ErrNoCode,
	}
}

// writeToken puts a server's token into a private file. XDG_RUNTIME_DIR is
// in memory and gone at logout; elsewhere the state directory takes it.
func (a *app) writeToken(token string) (path string, remove func(), err error) {
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
