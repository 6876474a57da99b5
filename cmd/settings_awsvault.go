package cmd

// awsVaultVariables are aws-vault's variables that mean here what they mean
// there: which store, and how to ask. They stand below config.json, because
// they speak to another program first. Its lifetimes mean something else (it
// clamps where groat asks AWS for what was said), its file vault has another
// format and another passphrase, and its prefix separates its items from
// ours: those are not taken.
var awsVaultVariables = map[string]string{
	"backend":                   "AWS_VAULT_BACKEND",
	"prompt":                    "AWS_VAULT_PROMPT",
	"keychain":                  "AWS_VAULT_KEYCHAIN_NAME",
	"secret-service-collection": "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME",
	"pass-dir":                  "AWS_VAULT_PASS_PASSWORD_STORE_DIR",
	"pass-cmd":                  "AWS_VAULT_PASS_CMD",
}

// awsVaultValue is the setting's text from aws-vault's variable; place is
// empty when it has none.
func (s *settings) awsVaultValue(name string) (v, place string) {
	variable := awsVaultVariables[name]
	if variable == "" {
		return "", ""
	}
	v, _ = s.lookup(variable)
	if v == "" {
		return "", ""
	}
	return v, variable
}
