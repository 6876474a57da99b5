package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"groat/provider/profile"
)

// ProcessChainVariable names the lines of the configuration that are being
// run, so that a credential_process that calls groat for a profile whose
// credential_process is running is recognised across processes. It is for
// groat's own child processes; the children of `exec` must not get it.
const ProcessChainVariable = "GROAT_PROCESS_CHAIN"

// lineID tells one line of the configuration from another: a profile of the
// same name in another file is not the same.
func lineID(profileName, line string) string {
	sum := sha256.Sum256([]byte(line))
	return url.QueryEscape(profileName) + ":" + hex.EncodeToString(sum[:4])
}

// childEnviron is the environment of a line that is run for a profile.
func (m *Minter) childEnviron(profileName, line string) []string {
	chain := lineID(profileName, line)
	if before := m.getenv(ProcessChainVariable); before != "" {
		chain = before + "," + chain
	}
	var env []string
	for _, kv := range m.Environ {
		if !strings.HasPrefix(kv, ProcessChainVariable+"=") {
			env = append(env, kv)
		}
	}
	return append(env, ProcessChainVariable+"="+chain)
}

// checkCircle ends a plan at once that would run a line which is waiting for
// this very process. It comes before any lock: the waiting one holds them.
func (m *Minter) checkCircle(p *Plan) error {
	chain := m.getenv(ProcessChainVariable)
	if chain == "" {
		return nil
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		name, line := step.Profile, ""
		switch {
		case step.Operation == OpProcess:
			line = p.Source.Process
		case step.Operation == OpWebIdentity:
			line = p.Source.WebIdentity.TokenProcess
		case step.MFASerial != "":
			name, line = p.Profile, step.MFAProcess
		}
		if line != "" {
			if err := circle(chain, lineID(name, line), name); err != nil {
				return err
			}
		}
	}
	return nil
}

// circle names the whole circle, if the line is among those running.
func circle(chain, id, name string) error {
	running := strings.Split(chain, ",")
	for i, r := range running {
		if r != id {
			continue
		}
		var names []string
		for _, r := range running[i:] {
			escaped, _, _ := strings.Cut(r, ":")
			n, err := url.QueryUnescape(escaped)
			if err != nil {
				n = escaped
			}
			names = append(names, sanitizeText(n))
		}
		return &profile.Error{
			Profile: name,
			Err:     fmt.Errorf("%w: %s → %s, by processes that call groat", profile.ErrCycle, strings.Join(names, " → "), sanitizeText(name)),
			Remedy:  "one of them must hold the key or name another source",
		}
	}
	return nil
}
