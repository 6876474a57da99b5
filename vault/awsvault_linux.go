package vault

import (
	"context"

	"github.com/godbus/dbus/v5"
)

func openForeignSystem(cfg Config) (foreignStore, error) {
	switch cfg.Backend {
	case "secret-service":
		s, err := newSecretService(cfg)
		if err != nil {
			return nil, err
		}
		return foreignItems{s, s.profiles}, nil
	case "kwallet":
		k, err := newKWallet(cfg)
		if err != nil {
			return nil, err
		}
		k.named = awsVaultName
		return foreignItems{k, nil}, nil
	case "keyctl":
		v, err := openKeyctlRing(cfg, awsVaultName)
		if err != nil {
			return nil, err
		}
		return foreignItems{v.(*osVault).store, nil}, nil
	case "pass":
		return openForeignPass(cfg)
	}
	return nil, noForeign(cfg.Backend)
}

// profiles lists the items of a collection that is another tool's: of all its
// attributes only the keyring library's one for the name is there.
func (s *secretService) profiles(ctx context.Context) ([]string, error) {
	b, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	items, err := s.search(ctx, b, map[string]string{})
	if err != nil {
		return nil, err
	}
	all, err := b.properties(ctx, ssName, items, ssItem, "Attributes")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		if v, ok := p.(dbus.Variant); ok {
			p = v.Value()
		}
		if attributes, ok := p.(map[string]string); ok && attributes[ssAttrName] != "" {
			names = append(names, attributes[ssAttrName])
		}
	}
	return names, nil
}
