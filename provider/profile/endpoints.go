package profile

import (
	"maps"
	"strings"
)

// endpointServices are the services that this tool calls, by the names of
// AWS_ENDPOINT_URL_… and of services sections.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
var endpointServices = []string{"sts", "iam", "sso", "sso_oidc", "signin"}

// endpoints decides where the calls of each profile of the walk go: by the
// environment, else the profile's own settings, else those of the profile
// asked for (botocore knows only that one's).
func (w *walker) endpoints() ([]Endpoints, error) {
	getenv := w.env
	all := make([]Endpoints, len(w.views))
	var nearer fileEndpoints
	for i, v := range w.views {
		own, err := w.fileEndpoints(v)
		if err != nil {
			return nil, err
		}
		nearer = own.over(nearer)
		all[i] = nearer.with(getenv)
	}
	return all, nil
}

// fileEndpoints is what one profile's sections say; "" = nothing.
type fileEndpoints struct {
	regional, fips, dualStack, caBundle, ignore string
	url                                         map[string]string
}

func (w *walker) fileEndpoints(v *view) (fileEndpoints, error) {
	e := fileEndpoints{
		regional: v.get("sts_regional_endpoints"), fips: v.get("use_fips_endpoint"),
		dualStack: v.get("use_dualstack_endpoint"), caBundle: w.obey(v, "ca_bundle", v.entry("ca_bundle")),
		ignore: v.get("ignore_configured_endpoint_urls"),
	}
	if url := w.obey(v, "endpoint_url", v.entry("endpoint_url")); url != "" {
		e.url = map[string]string{"": url}
	}
	name := v.get("services")
	if name == "" {
		return e, nil
	}
	b := w.config.body(sectionServices, name)
	if !b.exists {
		return e, v.errorf("services", ErrMalformed, "profile %q names services section %q, which does not exist", v.name, name)
	}
	if len(b.problems) > 0 {
		return e, b.problems[0]
	}
	for service, line := range serviceURLs(b) {
		if e.url == nil {
			e.url = make(map[string]string)
		}
		e.url[service] = w.obey(v, serviceKey(service), line)
	}
	return e, nil
}

// serviceURLs are the lines of a services section that redirect our calls.
func serviceURLs(b *body) map[string]entry {
	urls := make(map[string]entry)
	for _, service := range endpointServices {
		e := b.values[service]
		if url := nested(e.text)["endpoint_url"]; url != "" {
			urls[service] = entry{text: url, file: e.file, line: e.line}
		}
	}
	return urls
}

// serviceKey is what a line of a services section is called. No profile's key
// has this name.
func serviceKey(service string) string { return "services: " + service + " endpoint_url" }

// over fills what the profile does not say from the nearer profiles.
func (e fileEndpoints) over(nearer fileEndpoints) fileEndpoints {
	e.regional = firstOf(e.regional, nearer.regional)
	e.fips = firstOf(e.fips, nearer.fips)
	e.dualStack = firstOf(e.dualStack, nearer.dualStack)
	e.caBundle = firstOf(e.caBundle, nearer.caBundle)
	e.ignore = firstOf(e.ignore, nearer.ignore)
	if e.url == nil {
		e.url = nearer.url
	}
	return e
}

// with lets the environment win, in botocore's order: the service's
// variable, AWS_ENDPOINT_URL, the services section, endpoint_url.
func (e fileEndpoints) with(getenv func(string) string) Endpoints {
	out := Endpoints{
		STSRegional: strings.ToLower(firstOf(getenv("AWS_STS_REGIONAL_ENDPOINTS"), e.regional)),
		FIPS:        isTrue(firstOf(getenv("AWS_USE_FIPS_ENDPOINT"), e.fips)),
		DualStack:   isTrue(firstOf(getenv("AWS_USE_DUALSTACK_ENDPOINT"), e.dualStack)),
		CABundle:    firstOf(getenv("AWS_CA_BUNDLE"), e.caBundle),
	}
	if isTrue(firstOf(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), e.ignore)) {
		return out
	}
	url := maps.Clone(e.url)
	if all := getenv("AWS_ENDPOINT_URL"); all != "" {
		url = map[string]string{"": all}
	}
	for _, service := range endpointServices {
		if u := getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(service)); u != "" {
			if url == nil {
				url = make(map[string]string)
			}
			url[service] = u
		}
	}
	out.URL = url
	return out
}

// isTrue is botocore's reading of a boolean.
func isTrue(s string) bool { return strings.EqualFold(s, "true") }

// For is the endpoint configured for a service ("sts", "iam", "sso",
// "sso_oidc"), or "" when AWS's own is meant.
func (e Endpoints) For(service string) string { return firstOf(e.URL[service], e.URL[""]) }
