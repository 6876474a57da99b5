package cmd

import "context"

// helpCmd is `groat help [COMMAND…]`: the same pages as --help.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"Command to explain."`
}

// Run prints the page that COMMAND --help prints.
func (c *helpCmd) Run(_ context.Context, a *app) error {
	_, err := a.parseAll(append(c.Command, "--help"))
	return err
}
