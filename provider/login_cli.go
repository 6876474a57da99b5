package provider

import (
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// CLILogin is a sign-in that `aws login` has left in the AWS CLI's cache.
type CLILogin struct{ token loginToken }

// ErrCLILogin says that a file of the AWS CLI's cache holds no sign-in that can
// be renewed.
var ErrCLILogin = errors.New("the file holds no sign-in that can be renewed")

// ErrKept says that another sign-in of the same identity is stored already.
var ErrKept = errors.New("a sign-in of this identity is stored already")

// CLILoginFile is the name that the AWS CLI gives to the file with the
// sign-in of a login_session.
func CLILoginFile(loginSession string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(loginSession)))
	return hex.EncodeToString(sum[:]) + ".json"
}

// ParseCLILogin reads such a file. Errors wrap ErrCLILogin, or ErrIdentity
// where it is somebody else's, and say nothing of what is in the file.
func ParseCLILogin(data []byte, loginSession string) (CLILogin, error) {
	var file struct {
		RefreshToken string `json:"refreshToken"`
		ClientID     string `json:"clientId"`
		IDToken      string `json:"idToken"`
		Identity     string `json:"identityToken"` // the Go SDK's name for it
		Key          string `json:"dpopKey"`
	}
	if json.Unmarshal(data, &file) != nil {
		return CLILogin{}, fmt.Errorf("%w: it is not JSON", ErrCLILogin)
	}
	if file.ClientID != clientSameDevice && file.ClientID != clientCrossDevice || file.RefreshToken == "" {
		return CLILogin{}, fmt.Errorf("%w: it names no client of AWS Sign-In, or has no refresh token", ErrCLILogin)
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		return CLILogin{}, fmt.Errorf("%w: its proof key is missing or damaged", ErrCLILogin)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil || key.Curve != elliptic.P256() {
		return CLILogin{}, fmt.Errorf("%w: its proof key is not one of P-256", ErrCLILogin)
	}
	t := loginToken{ARN: loginSession, Client: file.ClientID, RefreshToken: file.RefreshToken, Key: block.Bytes}
	if id := file.IDToken + file.Identity; id != "" {
		who, began := claimsOf(id)
		if who != "" && who != loginSession {
			return CLILogin{}, fmt.Errorf("%w: the file is of %s", ErrIdentity, who)
		}
		t.Began = began
	}
	return CLILogin{t}, nil
}

// claimsOf are the subject of an ID token and when it was issued.
func claimsOf(token string) (subject string, issued time.Time) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Subject string `json:"sub"`
		Issued  int64  `json:"iat"` // seconds since 1970
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || accountOf(claims.Subject) == "" {
		return "", time.Time{}
	}
	if claims.Issued > 0 {
		issued = time.Unix(claims.Issued, 0).UTC()
	}
	return claims.Subject, issued
}

// TakeSignIn stores a sign-in of the AWS CLI for the plan's source, and reads
// it back. One of the same identity that is stored already stays, with
// ErrKept, unless it is the very same or replace is true.
func (m *Minter) TakeSignIn(ctx context.Context, p *Plan, s CLILogin, replace bool) error {
	o, err := m.callOptions(&p.Steps[0])
	if err != nil {
		return err
	}
	l := &login{m: m, o: o, arn: p.Source.LoginSession, profile: p.Profile}
	t := s.token
	t.Region = o.Region
	if t.Began.IsZero() {
		t.Began = m.now().UTC().Truncate(time.Second)
	}
	return l.kept().alone(ctx, func() error {
		have, ok, err := l.load(ctx)
		if err != nil {
			return err
		}
		if ok && have.Over == "" && have.RefreshToken != t.RefreshToken && !replace {
			return ErrKept
		}
		if err := l.kept().put(ctx, t); err != nil {
			return err
		}
		var got loginToken
		if err := l.kept().read(ctx, &got); err != nil {
			return err
		}
		if !reflect.DeepEqual(got, t) {
			return errors.New("what the vault gives back is not the sign-in that was stored")
		}
		return nil
	})
}
