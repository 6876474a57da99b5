package cmd

import (
	"net/http"
	"sync"
	"time"

	"groat/provider"
)

// app is the composition root: it parses the command line, has credentials
// minted, and holds the values by which commands do everything else.
type app struct {
	environment
	*output
	*clock
	cli         cli
	settings    *settings
	paths       *paths
	aws         *awsFiles
	prompts     *prompts
	passphrases *passphrases
	// proxy reads the process's own environment: net/http links the library
	// for it already, and no other road to AWS is chosen within one process.
	proxy provider.ProxyFunc

	// nameless: no profile was named, and the environment describes a web
	// identity, which then counts.
	nameless bool

	command   string // as one types it: "mfa list"
	helpFlags bool   // the help page of the common flags is wanted
	// leastCost makes new file vaults as cheap to open as is accepted, for tests.
	leastCost bool
	consented sync.Map // what a person said yes to in this process

	mu     sync.Mutex // guards the one below
	opened *vaults
}

func newApp(environ []string, streams Streams) *app {
	a := &app{environment: newEnvironment(environ), clock: &clock{now: time.Now}}
	a.output = &output{streams, &a.cli.Debug}
	a.proxy = provider.CheckedProxy(a.getenv, http.ProxyFromEnvironment)
	p := newPaths(a.getenv, recordedHome)
	a.paths = &p
	a.settings = &settings{lookup: a.lookupEnv, path: a.paths.configFile, homeless: a.paths.homeless, from: map[string]string{}}
	a.aws = &awsFiles{environment: a.environment, output: a.output, paths: a.paths, settings: a.settings}
	a.prompts = &prompts{environment: a.environment, output: a.output, clock: a.clock, flags: &a.cli.globals, settings: a.settings,
		started: time.Now(), heedSignals: func() {}}
	a.passphrases = &passphrases{a.prompts, a.paths}
	return a
}

// close gives back what the process holds. It may be called again.
func (a *app) close() {
	a.prompts.release()
	a.vaults().Close()
}
