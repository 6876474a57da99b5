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
		return provider.AccessKey{}, fmt.Errorf("the input is larger than %d bytes: that is no access key", maxKeyInput)
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
	case strings.Contains(strings.ToLower(firstLine), "access key id"):
		key, err = keyFromCSV(data)
	case bytes.Contains(data, []byte("AWS_ACCESS_KEY_ID")):
		key, token, err = keyFromLines(string(data))
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
// pay for it else.
var assignment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:export\s+|set\s+)?(AWS_[A-Z_]+)\s*=\s*(.*?)\s*;?\s*$`)
})

// keyFromLines reads [export ]AWS_…= lines; other lines are passed over.
func keyFromLines(text string) (key provider.AccessKey, token string, err error) {
	for line := range strings.Lines(text) {
		m := assignment().FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		value := m[2]
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		switch m[1] {
		case "AWS_ACCESS_KEY_ID":
			key.ID = value
		case "AWS_SECRET_ACCESS_KEY":
			key.Secret = value
		case "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN":
			token = value
		}
	}
	return key, token, nil
}

// isKeyID: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
func isKeyID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func isSecret(s string) bool {
	return len(s) >= 16 && len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
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
	case strings.HasPrefix(key.ID, "ASIA") || token != "":
		return errors.New("these are temporary credentials (with a session token): groat stores long-lived keys and mints the temporary ones itself")
	case !isKeyID(key.ID) && isSecret(key.ID) && isKeyID(key.Secret):
		return errors.New("the access key ID and the secret seem to be swapped")
	case !isKeyID(key.ID):
		return errors.New("the access key ID is malformed: it has 16 to 128 letters and digits, such as AKIAIOSFODNN7EXAMPLE")
	case !isSecret(key.Secret):
		return errors.New("the secret access key is malformed: it has at least 16 printable characters and no blanks")
	}
	return nil
}
