// Package busguard keeps every D-Bus client that is linked into the program
// away from the session bus until the vault decides to dial it.
//
// The keyring library asks for the session bus in two package
// initialisers: each run, `--help` included, would dial the bus, and where no
// address is set a client may start `dbus-launch` and leave an orphan bus
// behind. Initialisers run before main, so the only cure is to run earlier.
//
// The Go specification ("Package initialization") orders packages by import
// path among those whose imports are ready. This package imports nothing but
// os, and its path sorts before "net", which every D-Bus client needs: it is
// initialised first. It puts an address there that no client can dial, and
// keeps the real one for Environ.
//
// Link it with a blank import wherever a D-Bus client may be linked.
package busguard

import "os"

// Variable is the environment variable that names the session bus (D-Bus
// specification, "Well-known Message Bus Instances").
const Variable = "DBUS_SESSION_BUS_ADDRESS"

// Withheld is the address in force while the real one is withheld. No D-Bus
// library has a transport of this name, so that dialling fails at once, without
// a system call, and, the variable being set, no bus is looked for or started.
const Withheld = "disabled:"

var (
	withheld bool   // the variable was replaced by Withheld
	wasSet   bool   // it was set before
	original string // and to this
)

func withhold() {
	original, wasSet = os.LookupEnv(Variable)
	withheld = os.Setenv(Variable, Withheld) == nil
}

// Environ is os.Environ as the program was started with: the real address of
// the session bus is back in its place, or absent when it was never set.
// Children and the vault's own D-Bus connections are given this.
func Environ() []string {
	return restore(os.Environ())
}

func restore(env []string) []string {
	if !withheld {
		return env
	}
	const prefix = Variable + "="
	out := make([]string, 0, len(env))
	for _, kv := range env {
		if len(kv) < len(prefix) || kv[:len(prefix)] != prefix {
			out = append(out, kv)
			continue
		}
		if kv != prefix+Withheld {
			out = append(out, kv) // set anew since; not ours to undo
		} else if wasSet {
			out = append(out, prefix+original)
		}
	}
	return out
}
