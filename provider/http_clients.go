package provider

import (
	"net/http"
	"sync"
)

// httpClients are a process's clients, one per CA bundle, so that the steps
// of a chain share their connections.
type httpClients struct {
	mu       sync.Mutex
	byBundle map[string]*http.Client
}

func (c *httpClients) get(bundle string, proxy ProxyFunc) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.byBundle[bundle]; client != nil {
		return client, nil
	}
	client, err := NewHTTPClient(bundle, proxy)
	if err != nil {
		return nil, err
	}
	if c.byBundle == nil {
		c.byBundle = map[string]*http.Client{}
	}
	c.byBundle[bundle] = client
	return client, nil
}

// callOptions are those of one step.
func (m *Minter) callOptions(step *Step) (CallOptions, error) {
	client := m.HTTP
	if client == nil {
		var err error
		if client, err = m.clients.get(step.Endpoints.CABundle, m.Proxy); err != nil {
			return CallOptions{}, err
		}
	}
	return CallOptions{
		Profile:   step.Profile,
		Region:    step.Region,
		Endpoints: step.Endpoints,
		HTTP:      client,
		Now:       m.Now,
		Debugf:    m.Debugf,
	}, nil
}
