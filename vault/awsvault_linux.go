package vault

import (
	"context"

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
	return foreignItems{k, nil}, nil
}

func openForeignKeyctl(cfg Config) (foreignStore, error) {
	r, err := newKeyctl(cfg, awsVaultName)
	if err != nil {
		return nil, err
	}
	return foreignItems{r, nil}, nil
}

// profiles lists the items of a collection that is another tool's: of all its
// attributes only the keyring library's one for the name is there.
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
		if store([]any{p}, &attributes) == nil && attributes[ssAttrItem] != "" {
			names = append(names, attributes[ssAttrItem])
		}
	}
	return names, nil
}
