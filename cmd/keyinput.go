package cmd

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"groat/provider"
)

const maxKeyInput = 64 << 10 // bytes

// No message of this file repeats what was read: it may be the secret.
var errKeyForm = errors.New("no access key found: expected the JSON of create-access-key, the console's CSV, AWS_ACCESS_KEY_ID= and AWS_SECRET_ACCESS_KEY= lines, or ID and SECRET")

// readKey reads an access key from r in any of the forms in which people are
// handed one.
func readKey(r io.Reader) (provider.AccessKey, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKeyInput+1))
	if err != nil {
		return provider.AccessKey{}, fmt.Errorf("could not read the access key: %w", err)
	}
	if len(data) > maxKeyInput {
		return provider.AccessKey{}, fmt.Errorf("the input is not an access key: it is longer than %d bytes", maxKeyInput)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	firstLine, _, _ := strings.Cut(string(data), "\n")
	var key provider.AccessKey
	var token string
	switch {
	case len(data) == 0:
		return provider.AccessKey{}, errors.New("no access key found: the input is empty")
	case data[0] == '{':
		key, token, err = keyFromJSON(data)
	case assignment().Match(data):
		key, token, err = keyFromLines(string(data))
	case strings.Contains(strings.ToLower(firstLine), "access key id"):
		key, err = keyFromCSV(data)
	default:
		fields := strings.Fields(string(data))
		if len(fields) != 2 {
			return provider.AccessKey{}, errKeyForm
		}
		key = provider.AccessKey{ID: fields[0], Secret: fields[1]}
	}
	if err != nil {
		return provider.AccessKey{}, err
	}
	return key, checkKey(key, token)
}

// keyFromJSON reads what `aws iam create-access-key` prints, or its inner object.
func keyFromJSON(data []byte) (provider.AccessKey, string, error) {
	type keyJSON struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	var doc struct {
		keyJSON
		AccessKey keyJSON
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return provider.AccessKey{}, "", errors.New("the input starts like JSON but is not valid JSON")
	}
	k := doc.AccessKey
	if k == (keyJSON{}) {
		k = doc.keyJSON
	}
	return provider.AccessKey{ID: k.AccessKeyID, Secret: k.SecretAccessKey}, k.SessionToken, nil
}

// keyFromCSV reads the console's download: a line of titles and a line of
// values, in either of its two layouts.
func keyFromCSV(data []byte) (provider.AccessKey, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return provider.AccessKey{}, errors.New("the CSV has no line with an access key")
	}
	if len(rows) > 2 {
		return provider.AccessKey{}, fmt.Errorf("the CSV holds %d keys: give one at a time", len(rows)-1)
	}
	var key provider.AccessKey
	for i, title := range rows[0] {
		if i >= len(rows[1]) {
			break
		}
		switch strings.ToLower(strings.TrimSpace(title)) {
		case "access key id":
			key.ID = strings.TrimSpace(rows[1][i])
		case "secret access key":
			key.Secret = strings.TrimSpace(rows[1][i])
		}
	}
	return key, nil
}

// assignment is compiled at its first use: every start of the program would
// pay for it else. It finds the assignments of shells, of .env files and of
// the credentials file, one or several on a line.
var assignment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token)[ \t]*=[ \t]*("[^"]*"|'[^']*'|[^\s;]*)`)
})

// keyFromLines reads [export ]AWS_…= lines; comments and other lines are
// passed over. Of two keys neither is chosen.
func keyFromLines(text string) (key provider.AccessKey, token string, err error) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range assignment().FindAllStringSubmatch(line, -1) {
			name, value := strings.ToLower(m[1]), m[2]
			if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
				value = value[1 : n-1]
			}
			if before, twice := values[name]; twice && before != value {
				return key, "", fmt.Errorf("%s is given twice, with different values: give one key at a time", strings.ToUpper(name))
			}
			values[name] = value
		}
	}
	key = provider.AccessKey{ID: values["aws_access_key_id"], Secret: values["aws_secret_access_key"]}
	return key, values["aws_session_token"] + values["aws_security_token"], nil
}

// isKeyID is narrower than what the API takes ("\w"): AWS's IDs have no small
// letters, and one secret in four is a word of letters and digits alone. One that
// was given in the ID's place must not be sent, stored and shown as an ID.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
func isKeyID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	})
}

func isSecret(s string) bool {
	return len(s) >= 16 && len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '"' || r == '\''
	})
}

// checkKey refuses what cannot be a long-lived access key.
func checkKey(key provider.AccessKey, token string) error {
	switch {
	case key.ID == "" && key.Secret == "":
		return errKeyForm
	case key.ID == "":
		return errors.New("the access key ID is missing")
	case key.Secret == "":
		return errors.New("the secret access key is missing")
	case token != "":
		return errTemporary
	case !isKeyID(key.ID) && isSecret(key.ID) && isKeyID(key.Secret):
		return errors.New("the access key ID and the secret seem to be swapped")
	}
	if err := checkKeyID(key.ID); err != nil {
		return err
	}
	return checkSecret(key.Secret)
}

var errTemporary = errors.New("these are temporary credentials (with a session token), but the vault is for long-lived access keys")

func checkKeyID(id string) error {
	switch {
	case strings.HasPrefix(id, "ASIA"):
		return errTemporary
	case !isKeyID(id) && isSecret(id) && len(id) >= 40:
		return errors.New("this looks like a secret access key: the access key ID comes first, such as AKIAIOSFODNN7EXAMPLE")
	case !isKeyID(id):
		return errors.New("the access key ID is malformed: it has 16 to 128 capital letters and digits, such as AKIAIOSFODNN7EXAMPLE")
	}
	return nil
}

func checkSecret(secret string) error {
	if !isSecret(secret) {
		return errors.New("the secret access key is malformed: it has at least 16 printable characters, no blanks and no quotes")
	}
	return nil
}
