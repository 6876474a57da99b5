package vault

import (
	"fmt"
	"slices"
	"strings"
)

// AllBackends are the names that --backend takes beside "auto", whether or
// not this build has them.
var AllBackends = []string{"keychain", "wincred", "secret-service", "kwallet", "keyctl", "pass", "file"}

// backend is one entry of a build's table of backends.
type backend struct {
	name string
	// open does not dial, ask or create anything.
	open func(Config) (Vault, error)
	// probe says in time why a first use would fail; nil: it would not. It is
	// asked by "auto", and may leave v connected.
	probe func(probeContext) error
	// here says without dialling or running anything whether the backend
	// could serve on this machine.
	here func(Config) bool
}

// Open opens the backend that cfg names, and no other: nothing is dialled,
// asked or created before the first call needs it, and a named backend that
// cannot serve says why. "auto" (and "") is the backend of the recorded keys
// where all lie in one, else the first that answers a probe; see choose.
func Open(cfg Config) (Vault, error) {
	if cfg.Backend == "" || cfg.Backend == "auto" {
		return choose(cfg)
	}
	return openNamed(cfg)
}

func openNamed(cfg Config) (Vault, error) {
	for _, b := range builtin() {
		if b.name == cfg.Backend {
			v, err := b.open(cfg)
			if err != nil {
				return nil, &Error{Op: "open", Backend: cfg.Backend, Err: err, Remedy: couldServe(cfg)}
			}
			return v, nil
		}
	}
	why := absence(cfg.Backend)
	if !slices.Contains(AllBackends, cfg.Backend) {
		why = "no such backend"
	}
	return nil, &Error{Op: "open", Backend: cfg.Backend, Err: fmt.Errorf("%w: %s", ErrUnavailable, why), Remedy: couldServe(cfg)}
}

// Backends lists the backends that this build has.
func Backends() []string {
	var names []string
	for _, b := range builtin() {
		names = append(names, b.name)
	}
	return names
}

// Possible lists the backends that could serve on this machine, as far as it
// can be told without dialling or running anything.
func Possible(cfg Config) []string {
	var names []string
	for _, b := range builtin() {
		if b.here(cfg) {
			names = append(names, b.name)
		}
	}
	return names
}

// couldServe is the remedy for a backend that cannot: the others.
func couldServe(cfg Config) string {
	others := slices.DeleteFunc(Possible(cfg), func(n string) bool { return n == cfg.Backend })
	return "backends that could serve here: " + strings.Join(others, ", ") + " (--backend, GROAT_BACKEND)"
}

// fileBackend is on every system.
func fileBackend() backend {
	return backend{
		name:  "file",
		open:  func(cfg Config) (Vault, error) { return OpenFile(cfg), nil },
		probe: func(probeContext) error { return nil },
		here:  func(Config) bool { return true },
	}
}

// lookup is os.LookupEnv on an injected environment; the last value wins.
func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}
