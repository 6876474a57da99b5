// Package ststest is a strict double of the parts of AWS that groat talks to:
// STS, IAM, IAM Identity Center, AWS Sign-In, the console's federation endpoint,
// the instance metadata service and the container credentials endpoint, over real HTTP or
// HTTPS on loopback.
//
// It refuses what AWS refuses, with AWS's own error codes, statuses and XML:
// wrong signatures, skewed clocks, unknown and expired credentials, durations
// out of bounds, token codes that are wrong or were used before, trust
// policies that are not met. It records every call, and it can be told to
// misbehave as a network does.
//
//	srv := ststest.Start(t, ststest.Options{})
//	user := srv.AddUser("123456789012", "alice")
//	key, device := user.AddAccessKey(), user.AddMFA()
//	srv.AddRole("arn:aws:iam::123456789012:role/admin", ststest.RoleOptions{RequireMFA: true})
//	// point a client at srv.URL, send device.FreshCode(), then look at srv.Calls()
//
// The package does not import testing, so that a program can use it too.
package ststest
