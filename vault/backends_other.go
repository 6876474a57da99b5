//go:build !linux && !darwin && !windows

package vault

import "fmt"

// shortcoming is what "auto" says of a build that lacks its platform's store.
const shortcoming = ""

func builtin() []backend { return []backend{fileBackend()} }

func absence(name string) string { return fmt.Sprintf("this build has no %s", name) }

func openForeignSystem(cfg Config) (foreignStore, error) { return nil, noForeign(cfg.Backend) }
