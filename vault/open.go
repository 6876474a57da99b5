package vault

import (
	"slices"
	"strings"
)

// Open opens the backend that cfg names, and no other: nothing is dialled,
// asked or created before the first call needs it, and a named backend that
// cannot serve says why. "auto" (and "") is the backend of the recorded keys
// where all lie in one, else the first that answers a probe; see choose.
func Open(cfg Config) (Vault, error) {
	if cfg.Backend == "" || cfg.Backend == auto {
		return choose(cfg)
	}
	return openNamed(cfg)
}

func openNamed(cfg Config) (Vault, error) {
	fail := func(err error) (Vault, error) {
		return nil, &Error{Op: "open", Backend: cfg.Backend, Err: err, Remedy: couldServe(cfg)}
	}
	b, known := row(cfg.Backend)
	switch {
	case !known:
		return fail(because(ErrUnavailable, "no such backend"))
	case b.open == nil:
		return fail(b.absence())
	}
	v, err := b.open(cfg)
	if err != nil {
		return fail(err)
	}
	return v, nil
}

// couldServe is the remedy for a backend that cannot: the others.
func couldServe(cfg Config) string {
	others := slices.DeleteFunc(namesOf(possible(cfg)), func(n string) bool { return n == cfg.Backend })
	return "backends that could serve here: " + strings.Join(others, ", ") + " (--backend, GROAT_BACKEND)"
}

func openFile(cfg Config) (Vault, error) { return OpenFile(cfg), nil }

// lookup is os.Getenv on an injected environment; of two equal names the first counts.
func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}
