package cmd

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"groat/vault"
)

// cli is the command tree.
type cli struct {
	globals

	Add               addCmd               `cmd:"" group:"keys" help:"Store an access key in the vault."`
	List              listCmd              `cmd:"" group:"keys" aliases:"ls" help:"Show profiles, keys and live sessions."`
	Remove            removeCmd            `cmd:"" group:"keys" aliases:"rm" help:"Delete keys and their sessions, or only sessions."`
	Clear             clearCmd             `cmd:"" group:"keys" help:"Drop sessions (remove --sessions-only)."`
	Migrate           migrateCmd           `cmd:"" group:"keys" help:"Move keys between backends."`
	Import            importCmd            `cmd:"" group:"keys" help:"Move keys in from the credentials file or from aws-vault."`
	Unlock            unlockCmd            `cmd:"" group:"keys" help:"Open the file vault for a while."`
	Lock              lockCmd              `cmd:"" group:"keys" help:"Close the file vault."`
	Passphrase        passphraseCmd        `cmd:"" group:"keys" help:"Change the file vault's passphrase."`
	CredentialProcess credentialProcessCmd `cmd:"" group:"use" help:"Print credential_process JSON."`
	Configure         configureCmd         `cmd:"" group:"use" help:"Make AWS SDKs ask groat for a profile."`
	Trust             trustCmd             `cmd:"" group:"use" help:"Let a repository's AWS config steer groat."`
	Exec              execCmd              `cmd:"" group:"use" help:"Run a command, or a subshell, with credentials."`
	Each              eachCmd              `cmd:"" group:"use" help:"Run a command for many profiles."`
	Export            exportCmd            `cmd:"" group:"use" help:"Print credentials for a shell, a file or another tool."`
	Serve             serveCmd             `cmd:"" group:"use" help:"Serve credentials on a loopback port, as ECS and EC2 do."`
	MFA               mfaCmd               `cmd:"" name:"mfa" group:"life" help:"Token codes and the devices that make them."`
	Rotate            rotateCmd            `cmd:"" group:"life" help:"Replace access keys, at AWS and in the vault."`
	Revoke            revokeCmd            `cmd:"" group:"life" help:"End what was minted, here and at AWS."`
	Audit             auditCmd             `cmd:"" group:"life" help:"Show who has no MFA, and old or unused keys."`
	Policy            policyCmd            `cmd:"" group:"life" help:"Print an IAM policy document to attach."`
	Signin            signinCmd            `cmd:"" group:"use" help:"Sign in to AWS or Identity Center, without a key."`
	Signout           signoutCmd           `cmd:"" group:"use" help:"Forget a sign-in and what was minted from it."`
	Login             loginCmd             `cmd:"" group:"use" help:"Sign the browser in to the AWS console."`
	Whoami            whoamiCmd            `cmd:"" group:"look" help:"Ask AWS which identity the minted credentials have."`
	Log               logCmd               `cmd:"" group:"look" help:"Show who asked for which credentials here."`
	Explain           explainCmd           `cmd:"" group:"look" help:"Show the chain of calls for a profile; nothing is sent."`
	Doctor            doctorCmd            `cmd:"" group:"look" help:"Check configuration, vault, file modes and environment."`
	Completion        completionCmd        `cmd:"" group:"look" nosettings:"" help:"Print a completion script for a shell."`
	Complete          completeCmd          `cmd:"" name:"__complete" hidden:"" nosettings:""`
	Version           versionCmd           `cmd:"" group:"look" nosettings:"" help:"Print the version."`
	Help              helpCmd              `cmd:"" group:"look" nosettings:"" help:"Show help for a command."`
}

// globals are the flags that every command takes, anywhere before "--". A flag with a
// setting tag may also come from GROAT_NAME and from config.json.
type globals struct {
	Backend                 string `setting:"" default:"auto" enum:"auto,${backends}" placeholder:"NAME" help:"Vault backend: ${enum}." group:"vault"`
	FileDir                 string `setting:"" placeholder:"DIR" help:"Directory of the file vault." group:"vault"`
	FilePassphraseFile      string `setting:"" placeholder:"FILE" help:"Read the file vault's passphrase from FILE." group:"vault"`
	FilePassphraseCommand   string `setting:"" placeholder:"CMD" help:"Take the file vault's passphrase from CMD's output." group:"vault"`
	Keychain                string `setting:"" placeholder:"NAME" help:"macOS keychain." group:"vault"`
	SecretServiceCollection string `setting:"" placeholder:"NAME" help:"Secret Service collection (default login)." group:"vault"`
	KWalletFolder           string `setting:"" name:"kwallet-folder" placeholder:"NAME" help:"KWallet folder (default groat)." group:"vault"`
	PassDir                 string `setting:"" placeholder:"DIR" help:"Password store of pass." group:"vault"`
	PassCmd                 string `setting:"" placeholder:"CMD" help:"Program to run for pass." group:"vault"`
	PassPrefix              string `setting:"" placeholder:"PREFIX" help:"Folder inside the password store (default groat)." group:"vault"`
	KeyctlScope             string `setting:"" placeholder:"SCOPE" help:"Kernel keyring of keyctl (default user)." group:"vault"`

	Prompt  string `setting:"" default:"auto" enum:"auto,terminal,osascript,zenity,kdialog,pinentry,wincredui,ykman,none" placeholder:"DRIVER" help:"How to ask: ${enum}." group:"general"`
	NoInput bool   `setting:"" help:"Never ask; fail and say what to run instead." group:"general"`
	Debug   bool   `setting:"" help:"Say on stderr what is done, without secrets." group:"general"`

	ShowVersion versionFlag `name:"version" help:"Print the version." group:"general"`
	ShowHelp    helpFlag    `name:"help" short:"h" help:"Show this help." group:"general"`
}

// minting are the flags of the commands that mint credentials.
type minting struct {
	SessionTTL    ttl    `name:"session-ttl" setting:"" placeholder:"D" help:"Lifetime of the session token, 15m to 36h (default 8h)." group:"mint"`
	AssumeRoleTTL ttl    `name:"assume-role-ttl" setting:"" placeholder:"D" help:"Lifetime of role credentials, 15m to 12h (default the profile's, else 1h)." group:"mint"`
	Duration      ttl    `short:"d" placeholder:"D" help:"Sets both lifetimes." group:"mint"`
	MinTTL        ttl    `name:"min-ttl" setting:"" placeholder:"D" help:"Renew what has less than D left (default 15m)." group:"mint"`
	NoSession     bool   `short:"n" help:"No GetSessionToken: the role straight from the key, or the bare key." group:"mint"`
	NoCache       bool   `help:"Neither read nor write cached sessions." group:"mint"`
	MFACode       string `name:"mfa-code" aliases:"mfa-token" short:"t" placeholder:"CODE" help:"Token code (single use)." group:"mint"`
	MFASerial     string `name:"mfa-serial" placeholder:"SERIAL" help:"MFA device: ARN or hardware serial." group:"mint"`
	RoleARN       string `name:"role-arn" placeholder:"ARN" help:"Assume this role instead of the profile's." group:"mint"`
	Region        string `placeholder:"REGION" help:"Region for STS and for the child." group:"mint"`

	Policy    string     `placeholder:"FILE|JSON" help:"Narrow the credentials to what this policy allows." group:"mint"`
	PolicyARN policyARNs `name:"policy-arn" placeholder:"ARN" help:"Narrow a role's credentials to a managed policy; repeatable." group:"mint"`
}

// groups gives the help its order and its titles.
var groups = kong.Groups{
	"keys":    "Keys and sessions:",
	"use":     "Use credentials:",
	"life":    "The life of a key:",
	"look":    "Look and learn:",
	"child":   "This command:",
	"mint":    "Minting:",
	"general": "General:",
	"vault":   "Vault:",
}

// words are what tags of the tree take from elsewhere.
var words = kong.Vars{"backends": strings.Join(vault.AllBackends, ",")}

func (a *app) kongOptions() []kong.Option {
	return []kong.Option{
		kong.Name("groat"),
		kong.Description("Short-lived AWS credentials from a locked vault."),
		kong.Writers(a.streams.Out, a.streams.Err),
		kong.NoDefaultHelp(),
		kong.Help(a.printHelp),
		groups,
		words,
		kong.Resolvers(a.settings),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
	}
}

// helpFlag prints help for the command it stands with.
type helpFlag bool

func (helpFlag) answer(_ *app, k *kong.Context) error {
	return outputError(k.PrintUsage(false))
}

// versionFlag prints the version.
type versionFlag bool

func (versionFlag) answer(a *app, _ *kong.Context) error {
	_, err := fmt.Fprintln(a.streams.Out, versionLine())
	return outputError(err)
}
