package cmd

import (
	"net"
	"net/http"
	"net/netip"
	"os"
)

// onlyOwnUser turns away the processes of other users, but for root's: a
// loopback port is open to every user of the machine, and the metadata
// service and the sign-in page have no secret header to tell them apart.
// Where the system does not tell whose the other end of a connection is
// (only Linux does), everybody passes.
func onlyOwnUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if uid, ok := clientUser(r); ok && uid != os.Getuid() && uid != 0 {
			refuse(w, http.StatusForbidden, "AccessDenied", "another user's process")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// clientUser is the user at the other end of the request's connection.
func clientUser(r *http.Request) (uid int, ok bool) {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return 0, false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return 0, false
	}
	server, err := netip.ParseAddrPort(local.String())
	if err != nil || !client.Addr().Unmap().Is4() || !server.Addr().Unmap().Is4() {
		return 0, false
	}
	return socketOwner(client, server)
}
