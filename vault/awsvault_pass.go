//go:build linux || darwin

package vault

func openForeignPass(cfg Config) (foreignStore, error) {
	p, err := newPass(cfg)
	if err != nil {
		return nil, err
	}
	return foreignItems{p, nil}, nil
}
