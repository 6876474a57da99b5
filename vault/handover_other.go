//go:build !linux && !darwin

package vault

import (
	"context"
	"time"
)

const handoverPatience = 0

// handover does nothing here: processes derive the key in turn.
type handover struct{}

func newHandover(string) *handover { return &handover{} }

func (*handover) take(context.Context, []byte, func(vaultKey) bool, time.Duration) (vaultKey, bool) {
	return vaultKey{}, false
}

func (*handover) listen() {}

func (*handover) serve([]byte, vaultKey) {}

func (*handover) close() {}

func proofOf([]byte, []byte) []byte { return nil }
