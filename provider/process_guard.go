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
// run, each with the profiles that led to it, so that a credential_process
// that calls groat for a profile whose credential_process is running is
// recognised across processes. It is for groat's own child processes; the
// children of `exec` must not get it.
const ProcessChainVariable = "GROAT_PROCESS_CHAIN"

// runningLine is one line of the configuration that is being run: the
// profiles walked from the one asked for to the one that has the line, and a
// sum of the line. A profile of the same name in another file is not the same.
type runningLine struct {
	walked []string
	sum    string
}

func newRunningLine(walked []string, line string) runningLine {
	sum := sha256.Sum256([]byte(line))
	return runningLine{walked, hex.EncodeToString(sum[:4])}
}

// owner is the profile that has the line.
func (l runningLine) owner() string { return l.walked[len(l.walked)-1] }

// String is the line's entry in the variable.
func (l runningLine) String() string {
	names := make([]string, len(l.walked))
	for i, name := range l.walked {
		names[i] = url.QueryEscape(name)
	}
	return strings.Join(names, "/") + ":" + l.sum
}

// parseRunning reads the variable.
func parseRunning(chain string) []runningLine {
	var lines []runningLine
	for entry := range strings.SplitSeq(chain, ",") {
		names, sum, _ := strings.Cut(entry, ":")
		l := runningLine{sum: sum}
		for escaped := range strings.SplitSeq(names, "/") {
			name, err := url.QueryUnescape(escaped)
			if err != nil {
				name = escaped
			}
			l.walked = append(l.walked, name)
		}
		lines = append(lines, l)
	}
	return lines
}

// childEnviron is the environment of a line that is run.
func (m *Minter) childEnviron(line runningLine) []string {
	chain := line.String()
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
		walked, line := p.Chain, ""
		switch source := sourceOf(p.Source.Kind); {
		case step.Operation == source.operation && source.line != nil:
			line = source.line(&p.Source)
		case step.MFASerial != "":
			walked, line = []string{p.Profile}, step.MFAProcess
		}
		if line != "" {
			if err := circle(chain, newRunningLine(walked, line)); err != nil {
				return err
			}
		}
	}
	return nil
}

// circle names the whole circle, if the line is among those running.
func circle(chain string, next runningLine) error {
	running := parseRunning(chain)
	for i, r := range running {
		if r.owner() != next.owner() || r.sum != next.sum {
			continue
		}
		names := []string{r.owner()}
		for _, between := range append(running[i+1:], next) {
			names = append(names, between.walked...)
		}
		return &profile.Error{
			Profile: next.owner(),
			Err:     fmt.Errorf("%w: %s, by processes that call groat", profile.ErrCycle, strings.Join(names, " → ")),
			Remedy:  "one of them must hold the key or name another source",
		}
	}
	return nil
}
