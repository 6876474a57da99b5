package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// errProxy is a proxy's no to the tunnel that was asked for.
var errProxy = errors.New("refused by the proxy")

func proxyRefusal(status int) error {
	remedy := "check HTTPS_PROXY and NO_PROXY, and whether the proxy lets AWS through"
	if status == http.StatusProxyAuthRequired {
		remedy = "the proxy requires a user and a password: write HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
	}
	return fault.New(fmt.Sprintf("proxy: HTTP status %d %s", status, http.StatusText(status)), remedy, errProxy)
}

// CheckedProxy is choose, but for a proxy's address that cannot be read: net/http
// passes over it and goes to AWS without one, past what was asked for.
// getenv reads the environment that choose reads. The error never shows the
// address, which may hold a password.
func CheckedProxy(getenv func(string) string, choose ProxyFunc) ProxyFunc {
	return func(r *http.Request) (*url.URL, error) {
		for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
			address := getenv(name)
			if address != "" && r.URL.Scheme == "https" && !isProxyURL(address) {
				return nil, &profile.Error{
					Err:    fault.New(fmt.Sprintf("%s is not the address of a proxy", name), "", profile.ErrMalformed),
					Remedy: "write http://HOST:PORT, special characters of user and password as %XX; or unset it",
				}
			}
		}
		return choose(r)
	}
}

// isProxyURL reports whether net/http can use a proxy's address, which may
// lack its scheme.
func isProxyURL(s string) bool {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}
