package accesskey

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// MaxInput is the longest text that may be an access key, in bytes.
const MaxInput = 64 << 10

// No message of this package repeats what was read: it may be the secret.
const noForm = "no access key found: expected the JSON of create-access-key, the console's CSV, AWS_ACCESS_KEY_ID= and AWS_SECRET_ACCESS_KEY= lines, or ID and SECRET"

// Read reads an access key from r in any of the forms in which people are
// handed one.
func Read(r io.Reader) (Key, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxInput+1))
	if err != nil {
		return Key{}, fmt.Errorf("could not read the access key: %w", err)
	}
	if len(data) > MaxInput {
		return Key{}, fmt.Errorf("the input is not an access key: it is longer than %d bytes", MaxInput)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	firstLine, _, _ := strings.Cut(string(data), "\n")
	var key Key
	var token string
	switch {
	case len(data) == 0:
		return Key{}, errors.New("no access key found: the input is empty")
	case data[0] == '{':
		key, token, err = fromJSON(data)
	case assignments().Match(data):
		key, token, err = fromLines(string(data))
	case strings.Contains(strings.ToLower(firstLine), "access key id"):
		key, err = fromCSV(data)
	default:
		fields := strings.Fields(string(data))
		if len(fields) != 2 {
			return Key{}, errors.New(noForm)
		}
		key = Key{ID: fields[0], Secret: fields[1]}
	}
	if err != nil {
		return Key{}, err
	}
	return key, key.Check(token)
}

// fromJSON reads what `aws iam create-access-key` prints, or its inner object.
func fromJSON(data []byte) (Key, string, error) {
	type keyJSON struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	var doc struct {
		keyJSON
		AccessKey keyJSON
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return Key{}, "", errors.New("the input starts like JSON but is not valid JSON")
	}
	k := doc.AccessKey
	if k == (keyJSON{}) {
		k = doc.keyJSON
	}
	return Key{ID: k.AccessKeyID, Secret: k.SecretAccessKey}, k.SessionToken, nil
}

// fromCSV reads the console's download: a line of titles and a line of
// values, in either of its two layouts.
func fromCSV(data []byte) (Key, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return Key{}, errors.New("the CSV has no line with an access key")
	}
	if len(rows) > 2 {
		return Key{}, fmt.Errorf("the CSV holds %d keys: give one at a time", len(rows)-1)
	}
	var key Key
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

// assignments finds the assignments of shells, of .env files and of the
// credentials file, one or several on a line. It is compiled when it is needed:
// every start of the program would pay for it else.
func assignments() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token)[ \t]*=[ \t]*("[^"]*"|'[^']*'|[^\s;]*)`)
}

// fromLines reads [export ]AWS_…= lines; comments and other lines are
// passed over. Of two keys neither is chosen.
func fromLines(text string) (key Key, token string, err error) {
	values := map[string]string{}
	assignment := assignments()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range assignment.FindAllStringSubmatch(line, -1) {
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
	key = Key{ID: values["aws_access_key_id"], Secret: values["aws_secret_access_key"]}
	return key, values["aws_session_token"] + values["aws_security_token"], nil
}
