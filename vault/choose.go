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

// choose is "auto". Where all recorded keys lie in one backend it is that
// one, unasked: a key never vanishes because its backend does not answer
// today. Else the platform's own store is tried before pass, and pass before
// the file vault, within 3 s together. Why a store that is there
// is passed over is told to Config.PassedOver. The kernel keyring forgets at reboot and is
// never chosen.
func choose(cfg Config) (Vault, error) {
	keys, err := record{cfg.StateDir}.read()
	if err != nil {
		return nil, err
	}
	if all := backendsOf(keys); len(all) == 1 {
		cfg.Backend = all[0]
		return openNamed(cfg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	var reasons []string
	for _, b := range table {
		if b.onlyNamed || !b.native() {
			continue
		}
		cfg.Backend = b.name
		v, err := b.tryOpen(ctx, cfg)
		if err == nil {
			if len(reasons) > 0 && cfg.PassedOver != nil {
				cfg.PassedOver(fmt.Sprintf("the %s vault is used, because others cannot serve: %s", b.name, strings.Join(reasons, "; ")))
			}
			return v, nil
		}
		if !errors.As(err, new(absent)) {
			reasons = append(reasons, fmt.Sprintf("%s: %v", b.name, err))
		}
	}
	return nil, &Error{Op: "open", Backend: auto, Err: because(ErrUnavailable, "%s", strings.Join(reasons, "; "))}
}

// absent is an error that says that nothing on this machine offers the store:
// none is passed over.
type absent struct{ error }

func (a absent) Unwrap() error { return a.error }

// tryOpen opens a backend and asks it whether it would serve.
func (b backend) tryOpen(ctx context.Context, cfg Config) (Vault, error) {
	if b.open == nil {
		return nil, b.absence()
	}
	if b.here != nil && !b.here(cfg) {
		return nil, absent{errors.New("it is not on this machine")}
	}
	v, err := b.open(cfg)
	if err != nil {
		return nil, err
	}
	if p, ok := v.(prober); ok {
		if err := p.probe(ctx); err != nil {
			_ = v.Close()
			return nil, err
		}
	}
	return v, nil
}
