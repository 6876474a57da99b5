package accesskey

import (
	"strings"
	"testing"
)

const (
	testKeyID  = "AKIAIOSFODNN7EXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func TestReadKey(t *testing.T) {
	for name, in := range map[string]string{
		"create-access-key":  `{"AccessKey": {"UserName": "a", "AccessKeyId": "` + testKeyID + `", "Status": "Active", "SecretAccessKey": "` + testSecret + `", "CreateDate": "2026-01-01T00:00:00Z"}}`,
		"inner object":       `{"AccessKeyId": "` + testKeyID + `", "SecretAccessKey": "` + testSecret + `"}`,
		"console CSV":        "\xef\xbb\xbfAccess key ID,Secret access key\r\n" + testKeyID + "," + testSecret + "\r\n",
		"older console CSV":  "User name,Password,Access key ID,Secret access key,Console login link\nalice,,\"" + testKeyID + "\"," + testSecret + ",https://123456789012.signin.aws.amazon.com/console\n",
		"export lines":       "# for alice\nexport AWS_ACCESS_KEY_ID=" + testKeyID + "\nexport AWS_SECRET_ACCESS_KEY='" + testSecret + "'\nexport AWS_DEFAULT_REGION=eu-west-1\n",
		"plain lines":        "AWS_ACCESS_KEY_ID=" + testKeyID + "\r\nAWS_SECRET_ACCESS_KEY=\"" + testSecret + "\"\r\n",
		"two on a line":      "export AWS_ACCESS_KEY_ID=" + testKeyID + " AWS_SECRET_ACCESS_KEY=" + testSecret + "; # both\n",
		"two statements":     "export AWS_ACCESS_KEY_ID='" + testKeyID + "'; export AWS_SECRET_ACCESS_KEY=\"" + testSecret + "\"",
		"comments":           "# Access key ID: AWS_ACCESS_KEY_ID=AKIAOLDOLDOLDOLDOLD1\nAWS_ACCESS_KEY_ID=" + testKeyID + " # mine\nAWS_SECRET_ACCESS_KEY=" + testSecret + " # secret\n",
		"PowerShell":         "$Env:AWS_ACCESS_KEY_ID=\"" + testKeyID + "\"\r\n$Env:AWS_SECRET_ACCESS_KEY=\"" + testSecret + "\"\r\n",
		"credentials file":   "[alice]\naws_access_key_id = " + testKeyID + "\naws_secret_access_key = " + testSecret + "\n",
		"ID SECRET":          testKeyID + " " + testSecret + "\n",
		"ID, SECRET by line": testKeyID + "\n" + testSecret,
	} {
		t.Run(name, func(t *testing.T) {
			key, err := Read(strings.NewReader(in))
			if want := (Key{ID: testKeyID, Secret: testSecret}); err != nil || key != want {
				t.Errorf("got %q %q, %v", key.ID, key.Secret, err)
			}
		})
	}
}

func TestReadKeyRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":           {"", "empty"},
		"one word":          {testSecret, "no access key found"},
		"prose":             {"here is your key, enjoy", "no access key found"},
		"broken JSON":       {`{"AccessKey": {"SecretAccessKey": "` + testSecret + `"`, "not valid JSON"},
		"foreign JSON":      {`{"secret": "` + testSecret + `"}`, "no access key found"},
		"no secret":         {`{"AccessKeyId": "` + testKeyID + `"}`, "secret access key is missing"},
		"no ID":             {`{"SecretAccessKey": "` + testSecret + `"}`, "access key ID is missing"},
		"titles alone":      {"Access key ID,Secret access key\n", "no line with an access key"},
		"two keys":          {"Access key ID,Secret access key\n" + strings.Repeat(testKeyID+","+testSecret+"\n", 2), "2 keys"},
		"session token":     {"AWS_ACCESS_KEY_ID=" + testKeyID + "\nAWS_SECRET_ACCESS_KEY=" + testSecret + "\nAWS_SESSION_TOKEN=x", "temporary"},
		"temporary ID":      {"ASIAIOSFODNN7EXAMPLE " + testSecret, "temporary"},
		"swapped":           {testSecret + " " + testKeyID, "swapped"},
		"swapped, all word": {strings.ReplaceAll(testSecret, "/", "x") + " " + testKeyID, "swapped"},
		"two secrets":       {strings.ReplaceAll(testSecret, "/", "x") + " " + testSecret, "access key ID comes first"},
		"open quote":        {"AWS_ACCESS_KEY_ID=" + testKeyID + "\nAWS_SECRET_ACCESS_KEY='" + testSecret, "malformed"},
		"two profiles":      {"aws_access_key_id=" + testKeyID + "\naws_secret_access_key=" + testSecret + "\naws_access_key_id=AKIAI44QH8DHBEXAMPLE\n", "one key at a time"},
		"short ID":          {"AKIA " + testSecret, "malformed"},
		"short secret":      {testKeyID + " s", "malformed"},
		"far too much":      {strings.Repeat("x", MaxInput+1), "longer than"},
		"NULs":              {"\x00\x00\x00", "no access key found"},
		"ID with newline":   {`{"AccessKeyId": "` + testKeyID + `\n", "SecretAccessKey": "` + testSecret + `"}`, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want something with %q", err, c.want)
			}
			if strings.Contains(strings.ReplaceAll(err.Error(), "x", "/"), testSecret) {
				t.Errorf("the error repeats the secret: %v", err)
			}
		})
	}
}

func FuzzReadKey(f *testing.F) {
	f.Add(`{"AccessKey": {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}`)
	f.Add("Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	f.Add("export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nexport AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	f.Add("\ufeffUser name,Password,Access key ID,Secret access key,Console login link\r\nme,,AKIAIOSFODNN7EXAMPLE,\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\",https://x\r\n")
	f.Add("Access key ID,Secret access key\n\"AKIA")
	f.Add(`{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": 1, "AccessKey": null}`)
	f.Fuzz(func(t *testing.T, in string) {
		key, err := Read(strings.NewReader(in))
		if err != nil {
			if msg := err.Error(); len(msg) > 250 || strings.ContainsAny(msg, "\n\r\x00\x1b") {
				t.Errorf("the error may repeat its input: %q", msg)
			}
			return
		}
		// What is accepted is taken from the input, whole and unchanged.
		if !strings.Contains(in, key.ID) && !strings.Contains(in, `\u`) || key.Check("") != nil {
			t.Errorf("accepted %q", key.ID)
		}
	})
}
