package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// probeTimeout bounds the whole search of "auto".
const probeTimeout = 3 * time.Second

// probeContext is what a probe gets.
type probeContext struct {
	context.Context
	cfg   Config
	vault Vault // opened by the same entry; used if the probe succeeds
}

// errNotByItself: the backend has to be named.
var errNotByItself = errors.New("is used only when it is named")

// choose is "auto". Where all recorded keys lie in one backend it is that
// one, unasked: a key never vanishes because its backend does not answer
// today. Else the platform's own store is tried before pass, and pass before
// the file vault, within 3 s together. The kernel keyring forgets at reboot
// and is never chosen.
func choose(cfg Config) (Vault, error) {
	name, err := soleRecorded(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	if name != "" {
		cfg.Backend = name
		return openNamed(cfg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	if shortcoming != "" {
		cfg.warn(shortcoming)
	}
	var reasons []string
	for _, b := range builtin() {
		v, err := b.tryOpen(ctx, cfg)
		if err == nil {
			return v, nil
		}
		if !errors.Is(err, errNotByItself) {
			reasons = append(reasons, b.name+": "+err.Error())
		}
	}
	return nil, &Error{Op: "open", Backend: "auto", Err: fmt.Errorf("%w: %s", ErrUnavailable, strings.Join(reasons, "; "))}
}

// tryOpen opens a backend and asks it whether it would serve.
func (b backend) tryOpen(ctx context.Context, cfg Config) (Vault, error) {
	if !b.here(cfg) {
		return nil, errors.New("is not on this machine")
	}
	cfg.Backend = b.name
	v, err := b.open(cfg)
	if err != nil {
		return nil, err
	}
	if err := b.probe(probeContext{ctx, cfg, v}); err != nil {
		_ = v.Close()
		return nil, err
	}
	return v, nil
}
