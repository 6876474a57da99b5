package cmd

import (
	"context"
	"fmt"
	"strings"

	"groat/provider"
)

// chooseDevice settles which of a user's MFA devices is asked for codes; ""
// where none can be. FIDO2 security keys are named and left out: AWS's API
// takes six-digit codes only. Of several devices a person chooses one, and
// without a person the first is taken and the others are named.
func (p *prompts) chooseDevice(ctx context.Context, serials []string) (string, error) {
	var usable, keys []string
	for _, s := range serials {
		if provider.IsSecurityKey(s) {
			keys = append(keys, s)
		} else {
			usable = append(usable, s)
		}
	}
	if len(keys) > 0 && len(usable) == 0 {
		p.warn(fmt.Sprintf("%s does not produce six-digit codes, and AWS accepts FIDO2 security keys only in its console; add a virtual MFA device as a second one for the command line, or sign in with the key: groat signin --help", strings.Join(keys, ", ")))
	}
	switch len(usable) {
	case 0:
		return "", nil
	case 1:
		return usable[0], nil
	}
	if why := p.ui().CanConfirm(); why != nil {
		p.debugf("not asking which device: %v", why)
		p.warn(fmt.Sprintf("the user has %d MFA devices; taking %s (to choose: --mfa-serial %s)", len(usable), usable[0], strings.Join(usable[1:], " or ")))
		return usable[0], nil
	}
	i, err := p.ui().Choose(ctx, "Which MFA device gives your token codes?", usable)
	if err != nil {
		return "", err
	}
	return usable[i], nil
}
