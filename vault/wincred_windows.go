package vault

import "github.com/danieljoos/wincred"

// openWinCred keeps items as generic credentials in the Windows Credential
// Manager, "groat:groat:NAME" each, for this user on this machine.
func openWinCred(cfg Config) (Vault, error) { return openWinCredService(cfg, "groat") }

func openWinCredService(cfg Config, service string) (Vault, error) {
	v := newOSVault(cfg, "wincred", newWinCred(cfg, service, "groat"))
	v.limit = winCredLimit
	return v, nil
}

func newWinCred(cfg Config, service, prefix string) *ring {
	r := newRing(cfg, "wincred", ringConfig{ServiceName: service, WinCredPrefix: prefix}, explainWinCred)
	r.oneByOne = true // Wine's CredEnumerate overruns its buffer when another thread adds a credential
	r.list = func() ([]string, error) {
		// The library takes a failure for an empty list.
		found, err := wincred.FilteredList(prefix + ":" + service + ":*")
		names := make([]string, 0, len(found))
		for _, c := range found {
			names = append(names, c.TargetName[len(prefix+":"+service+":"):])
		}
		return names, err
	}
	return r
}

func openForeignWinCred(cfg Config) (foreignStore, error) {
	return foreignItems{newWinCred(cfg, awsVaultName, awsVaultName), nil}, nil
}
