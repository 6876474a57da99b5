package vault

import (
	"context"
	"runtime"
	"slices"
	"strings"
)

// backend is one row of the table of backends.
type backend struct {
	name string
	// on names the platforms (GOOS) that have it, separated by spaces.
	on string
	// open does not dial, ask or create anything. It is nil where this build
	// has no such backend. What it opens may be a prober.
	open func(Config) (Vault, error)
	// here says without dialling or running anything whether the backend
	// could serve on this machine; nil: it could.
	here func(Config) bool
	// foreign opens what aws-vault keeps there; nil: it cannot be read.
	foreign func(Config) (foreignStore, error)
	// daemon: somebody else's process answers, and it may take its time.
	daemon bool
	// onlyNamed: it serves where somebody names it, as "auto" never does.
	onlyNamed bool
	// shared: other programs' items are listed among aws-vault's, so that
	// import has to be told to look there.
	shared bool
}

// table has a row for each backend, the platforms' own stores first: the
// order in which "auto" tries them.
var table = []backend{
	{name: "keychain", on: "darwin", open: openKeychain, foreign: openForeignKeychain},
	{name: "wincred", on: "windows", open: openWinCred, foreign: openForeignWinCred},
	{name: "secret-service", on: "linux", open: openSecretService, here: hasBus, foreign: openForeignSecretService, daemon: true},
	{name: "kwallet", on: "linux", open: openKWallet, here: hasBus, foreign: openForeignKWallet, daemon: true},
	{name: "keyctl", on: "linux", open: openKeyctl, foreign: openForeignKeyctl, onlyNamed: true, shared: true},
	{name: "pass", on: "linux darwin", open: openPass, here: hasPass, foreign: openForeignPass, shared: true},
	{name: "file", on: runtime.GOOS, open: openFile, foreign: openForeignFile},
}

// prober is an open backend, or the store in one, that can say in time why a
// first use would fail. "auto" asks it; it may be left connected.
type prober interface{ probe(context.Context) error }

// AllBackends are the names that --backend takes beside "auto", whether or
// not this build has them.
var AllBackends = namesOf(slices.Values(table))

// builtin yields the backends that this build has, in the order of the table.
func builtin(yield func(backend) bool) {
	for _, b := range table {
		if b.open != nil && !yield(b) {
			return
		}
	}
}

// possible yields those that could serve on this machine, as far as it can be
// told without dialling or running anything.
func possible(cfg Config) func(func(backend) bool) {
	return func(yield func(backend) bool) {
		for b := range builtin {
			if (b.here == nil || b.here(cfg)) && !yield(b) {
				return
			}
		}
	}
}

func namesOf(backends func(func(backend) bool)) []string {
	var names []string
	for b := range backends {
		names = append(names, b.name)
	}
	return names
}

// Backends lists the backends that this build has.
func Backends() []string { return namesOf(builtin) }

// AWSVaultBackends lists the backends of this build whose items OpenAWSVault
// can read, and that need no more than to be asked.
func AWSVaultBackends(cfg Config) []string {
	return namesOf(func(yield func(backend) bool) {
		for b := range possible(cfg) {
			if b.foreign != nil && !b.shared && !yield(b) {
				return
			}
		}
	})
}

// ByDaemon reports whether a daemon on the bus keeps a backend's items.
func ByDaemon(name string) bool {
	b, _ := row(name)
	return b.daemon
}

// row gives a backend by its name.
func row(name string) (b backend, known bool) {
	if i := slices.IndexFunc(table, func(b backend) bool { return b.name == name }); i >= 0 {
		return table[i], true
	}
	return backend{}, false
}

// native reports whether this platform has the backend.
func (b backend) native() bool { return slices.Contains(strings.Fields(b.on), runtime.GOOS) }

// absence says why a backend is not in this build.
func (b backend) absence() error {
	if b.native() {
		return because(ErrUnavailable, "this build does not include it (it was built with the tag nokeychain)")
	}
	return because(ErrUnavailable, "it does not exist on this system")
}
