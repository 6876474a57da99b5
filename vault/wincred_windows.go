package vault

import "fmt"

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
	return r
}

// shortcoming is what "auto" says of a build that lacks its platform's store.
const shortcoming = ""

func builtin() []backend {
	return []backend{
		{
			name:  "wincred",
			open:  openWinCred,
			probe: probeByReading,
			here:  func(Config) bool { return true },
		},
		fileBackend(),
	}
}

func absence(name string) string { return fmt.Sprintf("there is no %s on Windows", name) }
