package ststest

// Secrets are all secrets that the double knows now, for a test that looks
// for them where they must not be. long are those that are never handed out:
// secrets of access keys, seeds, refresh tokens, tokens of Identity Center.
// short belong to session credentials and to links of the console.
func (s *Server) Secrets() (long, short []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		long = append(long, k.Secret)
	}
	for _, d := range s.devices {
		long = append(long, d.Secret)
	}
	for token := range s.login.refresh {
		long = append(long, token)
	}
	for _, c := range s.sso.clients {
		long = append(long, c.secret)
	}
	for token := range s.sso.tokens {
		long = append(long, token)
	}
	for token := range s.sso.refresh {
		long = append(long, token)
	}
	for _, c := range s.sessions {
		short = append(short, c.secret, c.token)
	}
	for token := range s.signin {
		short = append(short, token)
	}
	return long, short
}
