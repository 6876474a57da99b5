package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// portalDomains are where AWS's own start and issuer URLs are, in every
// partition. A region's own portal has the region as a label of its name.
var portalDomains = []string{
	"awsapps.com", "awsapps.cn", "app.aws", "app.amazonwebservices.com.cn", "api.amazonwebservices.eu",
	"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu",
}

func isPortal(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(portalDomains, func(d string) bool { return strings.HasSuffix(host, "."+d) })
}

// startURL is the start URL as AWS knows it. An organisation's own address
// leads there by one redirect; where it does not, AWS judges it as it is.
//
// https://aws.amazon.com/blogs/security/regional-routing-for-aws-access-portals-implementing-custom-vanity-domains-for-iam-identity-center/
func (s *signOn) startURL(ctx context.Context) (string, error) {
	own := s.sso.StartURL
	u, err := url.Parse(own)
	if err != nil || isPortal(u) || checkSignInURL(own) != nil {
		return own, nil
	}
	to, err := s.redirect(ctx, own)
	if err != nil || to.Scheme != "https" || !isPortal(to) {
		s.o.debugf("start URL %s does not lead to one of AWS's: %v, %v", own, to, err)
		return own, nil
	}
	_, rest, _ := strings.Cut(to.Hostname(), ".") // the first label is the organisation's
	for label := range strings.SplitSeq(rest, ".") {
		if IsAWSRegion(label) && label != s.sso.Region {
			return "", fault.New(fmt.Sprintf("start URL %s of profile %q leads to IAM Identity Center in %s, and sso_region is %s", own, s.profile, label, s.sso.Region),
				"write sso_region = "+label, profile.ErrUnsupported)
		}
	}
	return "https://" + to.Host + strings.TrimRight(to.Path, "/"), nil
}

// redirect is where an address leads. Some servers answer GET only.
func (s *signOn) redirect(ctx context.Context, address string) (*url.URL, error) {
	ctx, cancel := s.o.bounded(ctx)
	defer cancel()
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		r, err := http.NewRequestWithContext(ctx, method, address, nil)
		if err != nil {
			return nil, err
		}
		answer, err := s.o.HTTP.Do(r)
		if err != nil {
			return nil, err
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusMethodNotAllowed && answer.StatusCode != http.StatusNotImplemented {
			return answer.Location()
		}
	}
	return nil, http.ErrNoLocation
}
