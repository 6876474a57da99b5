package ststest

type passwordPolicy struct{}
type ssoState struct{}

func (*ssoState) reset() {}

type signinToken struct{}
type imdsState struct{}
type containerState struct{}
