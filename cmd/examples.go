package cmd

import "sync"

// examples are the examples of the help pages, by command. A test runs each
// line through the command line parser.
var examples = sync.OnceValue(func() map[string][]example {
	return map[string][]example{
		"": {
			{"groat add default", "store an access key"},
			{"groat exec admin -- aws s3 ls", "run a command as a role"},
			{"groat configure admin", "let every AWS tool use it: AWS_PROFILE=admin …"},
		},
		"add": {
			{"groat add default", "asks for the key, proves it, finds the MFA device"},
			{"gpg -d key.gpg | groat add default --stdin", "what create-access-key or the console gave"},
			{"groat add ci --env --mfa-serial none", "from AWS_ACCESS_KEY_ID and its secret"},
		},
		"list": {
			{"groat list", "profiles, whose key they use, live sessions"},
			{"groat list --json | jq '.profiles[].name'", "for scripts"},
		},
		"remove": {
			{"groat remove --sessions-only admin", "drop what was minted for admin, keep the key"},
			{"groat remove old", "delete the key of profile old and its sessions"},
			{"groat remove --all --force", "everything, without a question"},
		},
		"clear": {
			{"groat clear", "drop all sessions"},
			{"groat clear admin", "those of one profile"},
		},
		"migrate": {
			{"groat migrate --from file --to secret-service", "all keys"},
			{"groat migrate --from file --to pass default --dry-run", "one, and only say what would be done"},
		},
		"import": {
			{"groat import --from credentials-file --dry-run", "what is stored in plaintext"},
			{"groat import --from aws-vault default", "one key of aws-vault's file vault"},
		},
		"rotate": {
			{"groat rotate default", "a new key: created, proved, stored; the old one deleted"},
			{"groat rotate default --keep-old", "the old one inactive, for a while"},
			{"groat rotate default --dry-run", "only say what would be called"},
		},
		"revoke": {
			{"groat revoke default", "key off, sessions dropped, and what an administrator must do"},
			{"groat revoke default --apply", "end the sessions at AWS too"},
			{"groat revoke --all --dry-run", "only say what would be done"},
		},
		"audit": {
			{"groat audit admin", "who has no MFA, old and unused keys"},
			{"groat audit prod-admin dev-admin --json | jq '.findings[].user'", "two accounts, for scripts"},
			{"groat audit --ignore backup,dnsupdater --max-key-age 180d", "programs have no MFA device"},
		},
		"policy": {
			{"groat policy require-mfa --max-age 8h", "deny all but enrolment without MFA; for users and groups"},
			{"groat policy self-service --account 123456789012", "own password, keys and devices"},
			{"groat policy assume-role-trust --account 123456789012 --format terraform", "the trust policy of a role"},
		},
		"doctor": {
			{"groat doctor", "each finding with a command that mends it"},
			{"groat doctor --online --json | jq '.findings[].check'", "asks AWS for the time, too; for scripts"},
		},
		"unlock":     {{"groat unlock --for 8h", "no passphrase for a working day"}},
		"lock":       {{"groat lock", "forget the vault key now"}},
		"passphrase": {{"groat passphrase", "ask for the old one and a new one"}},
		"credential-process": {
			{"groat credential-process admin", "the JSON that SDKs read"},
			{"groat credential-process admin -t 123456", "with a code, where there is no terminal"},
		},
		"trust": {
			{"groat trust aws/config", "show the lines of a repository's config that steer, and obey them"},
			{"groat trust --forget aws/config", "no longer"},
		},
		"configure": {
			{"groat configure admin --dry-run", "show the lines"},
			{"groat configure admin readonly", "then: AWS_PROFILE=readonly terraform plan"},
			{"groat configure --undo admin", "as it was"},
		},
		"exec": {
			{"groat exec admin -- aws s3 ls", "one command"},
			{"groat exec admin", "a shell; leave it with exit"},
			{"groat exec admin -d 2h -- make deploy", "credentials for two hours"},
			{"groat exec --server admin -- terraform apply", "they stay fresh for as long as it takes"},
			{"groat exec -- aws s3 ls", "the profile from AWS_PROFILE, or picked"},
		},
		"each": {
			{"groat each 'prod-*' -- aws s3 ls", "every profile that matches, one code"},
			{"groat each dev prod -j 1 --fail-fast -- ./deploy", "one after the other, stop at a failure"},
		},
		"export": {
			{`eval "$(groat export admin)"`, "into this shell (sh, bash, zsh)"},
			{"groat export admin --format fish | source", "fish"},
			{"groat export admin --format env > .env", "docker run --env-file .env"},
			{"groat export admin --to-credentials-file", "for tools that only read ~/.aws/credentials"},
		},
		"serve": {
			{"groat serve admin", "prints the variables that clients need"},
			{"groat serve admin --imds --port 8169", "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:8169"},
		},
		"login": {
			{"groat login admin", "open the console"},
			{"groat login admin --destination s3", "begin with S3"},
			{"groat login admin --stdout", "the link itself: a secret for 15 minutes"},
		},
		"mfa": {
			{"groat mfa list default", "your devices"},
			{"groat mfa code default", "the code of a stored seed"},
		},
		"mfa enroll": {
			{"groat mfa enroll default", "a new device: scan, two codes, done"},
			{"groat mfa enroll default --qr-png qr.png --show-secret", "where the terminal is no help to the camera"},
		},
		"mfa resync": {{"groat mfa resync default", "when its codes are refused again and again"}},
		"mfa remove": {{"groat mfa remove default", "remove a device, at AWS and here"}},
		"mfa list":   {{"groat mfa list default", "the devices of that key's user"}},
		"mfa seed":   {{"groat mfa seed default", "store the seed of a device that exists"}},
		"mfa code":   {{"groat mfa code default", "print the code of a stored seed"}},
		"log": {
			{"groat log --on", "from now on, note what is handed out"},
			{"groat log --since 1d --profile admin", "who asked for admin's credentials today"},
			{"groat log --json | jq -r .caller", "for scripts: one JSON object a line"},
		},
		"explain": {{"groat explain admin", "which calls would be made, and what is cached"}},
		"signin": {
			{"groat signin dev", "in the browser; dev needs no access key"},
			{"groat signin dev --remote", "with a browser on another machine"},
		},
		"signout": {
			{"groat signout dev", "forget the sign-in, and the sessions from it"},
			{"groat signout --all", "every sign-in"},
		},
		"whoami":     {{"groat whoami admin", "ask AWS who these credentials are"}},
		"completion": {{"source <(groat completion bash)", "in ~/.bashrc; likewise zsh"}, {"groat completion fish | source", "in config.fish"}},
		"version":    {{"groat version", "which groat this is"}},
		"help":       {{"groat help exec", "the page of a command"}, {"groat help flags", "the flags that every command takes"}},
	}
})
