package child

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Caller is a program on the way from the session to this process.
type Caller struct {
	Path string // of its executable; its name alone where the system tells no more
	args []string
}

// maxCallers bounds the way up: who reads it wants to know the nearest ones.
const maxCallers = 8

// Callers are the programs that led to this process, the nearest first, as far
// as the system tells. The first of all processes is left out.
func Callers() []Caller {
	var all []Caller
	for pid := os.Getppid(); pid > 1 && len(all) < maxCallers; {
		c, parent, ok := processOf(pid)
		if !ok {
			break
		}
		if all = append(all, c); parent == pid {
			break
		}
		pid = parent
	}
	return all
}

// CalledBy is the program that asks: the nearest caller, and after it, where
// that is a shell that runs one command line for another program (SDKs run
// their helpers so), that program too. "" if nothing is known.
func CalledBy(callers []Caller) string {
	var paths []string
	for _, c := range callers {
		paths = append(paths, c.Path)
		if !c.relays() {
			break
		}
	}
	return strings.Join(paths, " < ")
}

// Paths are those of the callers.
func Paths(callers []Caller) []string {
	paths := make([]string, len(callers))
	for i, c := range callers {
		paths[i] = c.Path
	}
	return paths
}

var shells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}

// relays reports a shell that was started for one command line (sh -c).
func (c Caller) relays() bool {
	name := filepath.Base(c.Path)
	if strings.EqualFold(name, "cmd.exe") {
		return true // Windows does not show its arguments
	}
	return slices.Contains(shells, name) && slices.ContainsFunc(c.args, func(arg string) bool {
		return strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c")
	})
}
