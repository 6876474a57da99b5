package provider

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"groat/provider/profile"
	"groat/vault/fault"
)

// legacyRegions are the regions that sts_regional_endpoints = legacy sends to
// the one global endpoint; regions opened later never use it.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html
var legacyRegions = map[string]bool{
	"ap-northeast-1": true, "ap-south-1": true, "ap-southeast-1": true, "ap-southeast-2": true,
	"aws-global": true, "ca-central-1": true, "eu-central-1": true, "eu-north-1": true,
	"eu-west-1": true, "eu-west-2": true, "eu-west-3": true, "sa-east-1": true,
	"us-east-1": true, "us-east-2": true, "us-west-1": true, "us-west-2": true,
}

// The service IDs that AWS_ENDPOINT_URL_… and `services` sections use.
const (
	serviceSTS     = "sts"
	serviceIAM     = "iam"
	serviceSSO     = "sso"
	serviceSSOOIDC = "sso_oidc"
)

// endpoint is where one service is called. An empty url means that the SDK's
// rules choose by region and the two flags.
type endpoint struct {
	url       string
	region    string // to sign for
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

// endpointFor decides where a service's calls go.
func endpointFor(service, region string, e profile.Endpoints) (endpoint, error) {
	out := endpoint{region: region}
	if e.FIPS {
		out.fips = aws.FIPSEndpointStateEnabled
	}
	if e.DualStack {
		out.dualStack = aws.DualStackEndpointStateEnabled
	}
	custom := e.URL[service]
	if custom == "" {
		custom = e.URL[""]
	}
	switch {
	case custom != "":
		if err := CheckEndpointURL(custom); err != nil {
			return endpoint{}, err
		}
		if e.FIPS {
			return endpoint{}, &profile.Error{
				Err:    fault.New(fmt.Sprintf("endpoint_url %s and use_fips_endpoint are both set, and one excludes the other", custom), "", profile.ErrUnsupported),
				Remedy: "name the FIPS endpoint itself in endpoint_url, or take one of the two out",
			}
		}
		// The URL names the whole endpoint: dual-stack adds nothing to it.
		out.url, out.dualStack = custom, aws.DualStackEndpointStateUnset
	case service == serviceSTS && region == "aws-global",
		service == serviceSTS && strings.EqualFold(e.STSRegional, "legacy") && legacyRegions[region] && !e.FIPS && !e.DualStack:
		out.url, out.region = "https://sts.amazonaws.com", "us-east-1"
	}
	return out, nil
}

// CheckEndpointURL refuses what cannot be called, and what must not be: every
// service gets secrets or answers with them.
func CheckEndpointURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return &profile.Error{
			Err:    fault.New(fmt.Sprintf("endpoint URL %q cannot be used", hideUserinfo(s)), "", profile.ErrMalformed),
			Remedy: "write https://HOST[:PORT], without user, query or fragment",
		}
	case isPlainRemote(s):
		return &profile.Error{
			Err:    fault.New(fmt.Sprintf("endpoint %s is not encrypted and not on this machine: tokens and credentials could be read on the way", s), "", profile.ErrUnsupported),
			Remedy: "name an https endpoint, or one on this machine (http://localhost)",
		}
	}
	return nil
}

// hideUserinfo keeps a password in a URL out of errors.
func hideUserinfo(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// isPlainRemote reports whether a URL sends credentials in clear over a
// network: http to anything but this machine.
func isPlainRemote(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return !strings.EqualFold(u.Hostname(), "localhost") && (ip == nil || !ip.IsLoopback())
}
