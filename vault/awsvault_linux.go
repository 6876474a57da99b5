package vault

import (
	"context"
	"slices"

	"github.com/godbus/dbus/v5"
)

func openForeignSecretService(cfg Config) (foreignStore, error) {
	s, err := newSecretService(cfg)
	if err != nil {
		return nil, err
	}
	return foreignItems{s, s.profiles}, nil
}

func openForeignKWallet(cfg Config) (foreignStore, error) {
	k, err := newKWallet(cfg)
	if err != nil {
		return nil, err
	}
	k.named = awsVaultName
	return foreignItems{k, func(ctx context.Context) ([]string, error) {
		names, err := k.names(ctx, "")
		return slices.DeleteFunc(names, oursByName), err
	}}, nil
}

// oursByName reports whether an item in a place that both tools use has a
// name as groat encodes it.
func oursByName(name string) bool {
	_, _, _, ok := DecodeName(name)
	return ok
}

func openForeignKeyctl(cfg Config) (foreignStore, error) {
	r, err := newKeyctl(cfg, awsVaultName)
	if err != nil {
		return nil, err
	}
	return foreignItems{r, nil}, nil
}

// profiles lists the items of another tool's in a collection that may be ours
// too. Those of groat's have an attribute of its own; items of its first
// versions are known by their names.
func (s *secretService) profiles(ctx context.Context) ([]string, error) {
	b, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.settle(ctx, b); err != nil { // finds the collection by its label, and unlocks it
		return nil, err
	}
	collection, _ := s.state()
	var items []dbus.ObjectPath // a search without attributes finds nothing in some services
	err = b.property(ctx, ssName, collection, ssCollection, "Items", &items)
	if isNoObject(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.explain(err)
	}
	all, err := b.properties(ctx, ssName, items, ssItem, "Attributes")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		var attributes map[string]string
		if store([]any{p}, &attributes) == nil && attributes[ssAttrItem] != "" && attributes[ssAttrKind] == "" && !oursByName(attributes[ssAttrItem]) {
			names = append(names, attributes[ssAttrItem])
		}
	}
	return names, nil
}
