package cmd

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"groat/provider"
	"groat/provider/iam"
	"groat/vault"
	"groat/vault/files"
)

// auditCmd says who has no MFA and whose keys are old or unused.
type auditCmd struct {
	minting
	Profiles   []string `arg:"" optional:"" name:"profile" help:"Profiles, one for each account (default AWS_PROFILE)."`
	JSON       bool     `name:"json" xor:"form" help:"Print JSON."`
	CSV        bool     `name:"csv" xor:"form" help:"Print CSV."`
	MaxKeyAge  days     `default:"90d" placeholder:"D" help:"Age from which a key counts as old (default 90d)."`
	MaxUnused  days     `default:"90d" placeholder:"D" help:"Time after which a key or a password counts as unused (default 90d)."`
	Ignore     []string `placeholder:"USER,…" help:"Users whose findings are left out."`
	IgnoreFile string   `placeholder:"FILE" help:"File with lines of user[:check] [until DATE] # reason."`
}

// auditJobs is how many accounts are looked through at once.
const auditJobs = 8

// auditing is the JSON of `audit --json`.
type auditing struct {
	Accounts []string      `json:"accounts"`
	Users    int           `json:"users"`
	Findings []iam.Finding `json:"findings"`
	Skipped  []iam.Skip    `json:"skipped"`
}

// Run asks one account after the other for credentials, as somebody may have
// to give a code, and then all for their reports.
func (c *auditCmd) Run(ctx context.Context, a *app) error {
	ignored, err := c.ignored()
	if err != nil {
		return err
	}
	if len(c.Profiles) == 0 {
		name, err := a.profileToMint(ctx, "")
		if err != nil {
			return err
		}
		c.Profiles = []string{name}
	}
	clients := make([]iam.Client, len(c.Profiles))
	for i, name := range c.Profiles {
		if clients[i], err = a.iamClient(ctx, name, c.minting); err != nil {
			return err
		}
	}
	audits, failed := c.audit(ctx, a, clients)
	all := auditing{Accounts: []string{}, Findings: []iam.Finding{}, Skipped: []iam.Skip{}}
	seen := map[string]bool{}
	for _, one := range audits {
		if one == nil || seen[one.Account] {
			continue
		}
		seen[one.Account] = true
		a.say(fmt.Sprintf("account %s: the credential report is %s old", one.Account, provider.ShortDuration(one.Age.Truncate(time.Minute))))
		all.Accounts = append(all.Accounts, one.Account)
		all.Users += one.Users
		all.Findings = append(all.Findings, ignored.Rest(one.Findings, a.now())...)
		all.Skipped = append(all.Skipped, one.Skipped...)
	}
	if len(all.Accounts) > 0 {
		if err := c.print(a, all); err != nil {
			return err
		}
	}
	if failed == nil && len(all.Findings) > 0 {
		return exitStatus(exitFound)
	}
	return failed
}

// audit looks through the accounts, some at a time. One that fails hides no
// other.
func (c *auditCmd) audit(ctx context.Context, a *app, clients []iam.Client) ([]*iam.Audited, error) {
	p := newProgress(a)
	defer p.end()
	auditor := iam.Auditor{Clock: iam.Clock{Now: a.now, Sleep: a.sleep}, MaxKeyAge: time.Duration(c.MaxKeyAge), MaxUnused: time.Duration(c.MaxUnused)}
	audits, errs := make([]*iam.Audited, len(clients)), make([]error, len(clients))
	made := map[[2]string]time.Time{}
	var mu sync.Mutex
	auditor.Learn = func(account, user string, at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		made[[2]string{account, user}] = at
	}
	defer func() { c.learnKeyAges(ctx, a, made) }()
	var done atomic.Int32
	var g errgroup.Group
	g.SetLimit(auditJobs)
	for i, client := range clients {
		g.Go(func() error {
			one := auditor
			one.Progress = func(text string) { p.show(int(done.Load()), len(clients), c.Profiles[i]+": "+text) }
			one.Progress("reading the credential report")
			audits[i], errs[i] = one.Audit(ctx, client)
			done.Add(1)
			return nil
		})
	}
	_ = g.Wait()
	return audits, errors.Join(errs...)
}

// maxIgnoreFile bounds what is read of an ignore file, in bytes.
const maxIgnoreFile = 1 << 20

func (c *auditCmd) ignored() (iam.Ignored, error) {
	all := iam.IgnoreUsers(c.Ignore)
	if c.IgnoreFile == "" {
		return all, nil
	}
	data, err := files.Read(c.IgnoreFile, maxIgnoreFile, files.Stream)
	if err != nil {
		return nil, usageError("--ignore-file: "+err.Error(), "")
	}
	more, err := iam.ParseIgnored(bytes.NewReader(data))
	if err != nil {
		return nil, usageError(fmt.Sprintf("--ignore-file %s: %v", c.IgnoreFile, err), "")
	}
	return append(all, more...), nil
}

func (c *auditCmd) print(a *app, all auditing) error {
	switch {
	case c.JSON:
		return writeJSON(a.streams.Out, all, true)
	case c.CSV:
		return c.printCSV(a, all.Findings)
	}
	for _, s := range all.Skipped {
		a.warn(fmt.Sprintf("account %s: %s was not fully checked: %s", s.Account, s.Check, s.Why))
	}
	a.say(fmt.Sprintf("%d %s in %d %s, %d %s", all.Users, plural(all.Users, "user"), len(all.Accounts), plural(len(all.Accounts), "account"),
		len(all.Findings), plural(len(all.Findings), "finding")))
	if len(all.Findings) == 0 {
		return nil
	}
	rows := [][]string{{"ACCOUNT", "USER", "SEVERITY", "CHECK", "DETAIL"}}
	for _, f := range all.Findings {
		rows = append(rows, []string{f.Account, f.User, f.Severity, f.Check, f.Detail})
	}
	return a.printTable(rows)
}

func (c *auditCmd) printCSV(a *app, findings []iam.Finding) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"account", "user", "check", "severity", "key", "detail", "rule"})
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	for _, f := range findings {
		_ = w.Write([]string{f.Account, f.User, f.Check, f.Severity, text(f.Key), f.Detail, text(f.Rule)})
	}
	w.Flush()
	_, err := io.WriteString(a.streams.Out, b.String())
	return outputError(err)
}

// learnKeyAges keeps what a credential report says of when the stored keys
// were made: made is by account and user, for users with one active key.
func (*auditCmd) learnKeyAges(ctx context.Context, a *app, made map[[2]string]time.Time) {
	all, err := a.vaults().AllCards(ctx)
	if err != nil {
		return
	}
	for name, card := range all.Cards {
		at, ok := made[[2]string{card.Account, card.UserName}]
		if !ok || !card.Created.IsZero() || at.After(card.Added) { // stored before it was made: another key
			continue
		}
		_, err := vault.SetCard(ctx, all.Holders[name][0], name, func(c *vault.Card) { c.Created = at })
		if err != nil {
			a.debugf("could not keep when the key of %q was made: %v", name, err)
		}
	}
}
