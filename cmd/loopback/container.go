package loopback

import (
	"net/http"
	"time"
)

// ContainerPath is where the credentials are. The SDKs take the whole URL.
const ContainerPath = "/credentials"

// containerOutput is what the ECS agent answers.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
type containerOutput struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time `json:",omitzero"`
	AccountID       string    `json:"AccountId,omitempty"`
}

// Container makes the container-credentials endpoint, which wants token as
// its Authorization.
func Container(token string, source Source) func(addr string) http.Handler {
	return func(addr string) http.Handler { return guard(addr, containerHandler(token, source)) }
}

func containerHandler(token string, source Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !sameSecret(r.Header.Get("Authorization"), token):
			refuse(w, http.StatusForbidden, "AccessDenied", "wrong or missing authorization token")
		case r.URL.Path != ContainerPath:
			refuse(w, http.StatusNotFound, "NotFound", "no such document")
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered")
		default:
			creds, err := source(r.Context())
			if err != nil {
				refuseCredentials(w, err)
				return
			}
			writeDocument(w, containerOutput{
				creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, expiration(creds.Expiration), creds.AccountID,
			})
		}
	})
}
