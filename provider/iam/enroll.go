package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/provider"
	"groat/session"
	"groat/vault/fault"
)

// Enroller gives a user a virtual MFA device. Its seed is sealed before
// anybody sees it, so that an attempt that is cut off can be taken up again:
// AWS gives a seed out once, and lets nobody delete a device without MFA.
type Enroller struct {
	Client
	Clock
	Account, User string
	Pending       session.Store // sealed seeds of devices that are not in use yet
	Used          *session.UsedCodes
	// Elevate gets a client with MFA, for policies that let nobody without
	// it create a device; nil: there is no MFA device yet.
	Elevate func(ctx context.Context) (Client, error)
	// Show lets the person take the seed over.
	Show func(ctx context.Context, d Device) error
	// Codes asks for two codes in a row; reason says why again.
	Codes func(ctx context.Context, serial, reason string) (one, two string, err error)
	// Finish makes the device known here. It may be called again for the
	// same device.
	Finish func(ctx context.Context, d Device) error
	Say    func(msg string)
}

const (
	maxTries  = 3
	codeReach = 20 // steps to both sides in which a code is looked for
	busyPause = 5 * time.Second
	busyTries = 6
)

// errGone says that the pending device is no more at AWS.
var errGone = errors.New("the device was deleted meanwhile")

// Enroll creates a device of this name (that of the user, then -2 …, when
// empty), or goes on with one that was created before, and puts it to use.
func (e Enroller) Enroll(ctx context.Context, name string) (Device, error) {
	d, err := e.load(ctx)
	if err != nil {
		return d, err
	}
	enabled, err := e.devices(ctx, e.User)
	if err != nil {
		return d, err
	}
	resumed := d.Serial != ""
	switch {
	case slices.Contains(enabled, d.Serial) && resumed:
		e.Say(fmt.Sprintf("device %s is in use already: an attempt that was cut off enabled it", d.Serial))
		return d, e.finish(ctx, d)
	case resumed:
		e.Say(fmt.Sprintf("resuming with device %s, which an earlier attempt created", d.Serial))
	default:
		if d, err = e.create(ctx, name, enabled); err != nil {
			return d, err
		}
	}
	err = e.enable(ctx, d)
	if errors.Is(err, errGone) && resumed {
		e.Say(fmt.Sprintf("device %s was deleted at AWS; a new one is created", d.Serial))
		if d, err = e.create(ctx, name, enabled); err == nil {
			err = e.enable(ctx, d)
		}
	}
	if err != nil {
		e.giveUp(ctx, d, err)
		return d, err
	}
	return d, e.finish(ctx, d)
}

func (e Enroller) pendingName() string { return "pending " + e.Account + "/" + e.User }

func (e Enroller) load(ctx context.Context) (Device, error) {
	var d Device
	data, err := e.Pending.Get(ctx, e.pendingName())
	if errors.Is(err, session.ErrNotFound) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	if err != nil {
		return d, fmt.Errorf("could not read the device that an earlier attempt left: %w", err)
	}
	return d, nil
}

func (e Enroller) save(ctx context.Context, d Device) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return e.Pending.Put(ctx, e.pendingName(), data)
}

func (e Enroller) forget(ctx context.Context) error {
	if err := e.Pending.Remove(ctx, e.pendingName()); err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	return nil
}

// create makes the first device of a free name. The vault is written before,
// so that a device is not created whose seed could not be kept.
func (e *Enroller) create(ctx context.Context, name string, enabled []string) (Device, error) {
	if len(enabled) >= deviceNames {
		return Device{}, fault.New("the user has eight MFA devices, and AWS allows no more", "`groat mfa list` shows them; `groat mfa remove` removes one", provider.ErrRefused)
	}
	if err := e.save(ctx, Device{}); err != nil {
		return Device{}, err
	}
	names := []string{name}
	if name == "" {
		names = namesFor(e.User)
	}
	for _, n := range names {
		if slices.ContainsFunc(enabled, func(serial string) bool { return strings.HasSuffix(serial, ":mfa/"+n) }) {
			continue
		}
		d, err := e.createNamed(ctx, n)
		if code(err) != "EntityAlreadyExists" {
			return d, err
		}
		e.Say(fmt.Sprintf("an MFA device named %s exists and is not in use, and its seed is not on this machine: an administrator can delete it (aws iam delete-virtual-mfa-device)", n))
	}
	return Device{}, fault.New("every name for the device is taken", "choose one with --device-name", provider.ErrRefused)
}

func (e *Enroller) createNamed(ctx context.Context, name string) (Device, error) {
	in := &awsiam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}
	out, err := e.once().createVirtualMFADevice(ctx, in)
	if isDenied(err) && e.Elevate != nil {
		elevated, eerr := e.Elevate(ctx)
		if eerr != nil {
			return Device{}, eerr
		}
		e.Client, e.Elevate = elevated, nil
		out, err = e.once().createVirtualMFADevice(ctx, in)
	}
	switch {
	case errors.Is(err, provider.ErrUnreachable), errors.Is(err, provider.ErrInterrupted):
		e.Say(fmt.Sprintf("AWS may have created an MFA device named %s nonetheless; its seed is lost, and the next attempt uses another name", name))
		return Device{}, err
	case isDenied(err):
		return Device{}, fault.New(fmt.Sprintf("AWS does not let the user create an MFA device named %s: %v", name, err),
			"many policies allow only a device with the user's own name, or only a user who has MFA already; `groat policy self-service` prints one that allows eight", err)
	case err != nil:
		return Device{}, err
	}
	d := Device{Serial: *out.VirtualMFADevice.SerialNumber, Seed: string(out.VirtualMFADevice.Base32StringSeed)}
	if err := e.save(ctx, d); err != nil {
		// Nobody will ever know the seed.
		if e.discard(ctx, d) {
			_ = e.forget(context.WithoutCancel(ctx)) // it may have been written all the same
		} else {
			e.Say(fmt.Sprintf("device %s stays at AWS, and its seed could not be kept: the next attempt uses another name", d.Serial))
		}
		return Device{}, err
	}
	return d, nil
}

// discard deletes a device and says what became of it.
func (e Enroller) discard(ctx context.Context, d Device) (gone bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := e.deleteDevice(ctx, d.Serial); err != nil {
		return false
	}
	e.Say("deleted MFA device " + d.Serial + " again")
	return true
}

// giveUp takes back what was begun, as far as AWS lets us.
func (e Enroller) giveUp(ctx context.Context, d Device, cause error) {
	if d.Serial == "" {
		return
	}
	if !errors.Is(cause, provider.ErrUnreachable) && e.discard(ctx, d) {
		if err := e.forget(context.WithoutCancel(ctx)); err != nil {
			e.Say("could not forget its seed: " + err.Error())
		}
		return
	}
	e.Say(fmt.Sprintf("device %s stays at AWS and its seed in the vault (most policies do not allow it to be deleted without MFA): run `groat mfa enroll` again to go on with it", d.Serial))
}

// enable shows the seed and puts the device to use by two codes in a row.
func (e Enroller) enable(ctx context.Context, d Device) error {
	if err := e.Show(ctx, d); err != nil {
		return err
	}
	reason := ""
	for range maxTries {
		one, two, err := e.Codes(ctx, d.Serial, reason)
		if err != nil {
			return err
		}
		if reason = e.check(d, one, two); reason != "" {
			continue
		}
		err = e.send(ctx, d, one, two)
		if code(err) != "InvalidAuthenticationCode" {
			return err
		}
		reason = "AWS refused the codes: wait for the next one"
	}
	return fault.New(fmt.Sprintf("the codes of %s were refused three times", d.Serial),
		"compare the clocks of this machine and the device, and take the codes of the entry that was just scanned", provider.ErrRefused)
}

// check finds out what AWS would only call invalid; "" means that the codes
// are the device's and follow each other.
func (e Enroller) check(d Device, one, two string) string {
	if e.step(d, one, two) != 0 {
		return ""
	}
	switch {
	case one == two:
		return "both codes are the same: wait for the next one"
	case e.step(d, one) == 0 || e.step(d, two) == 0:
		return "that code is not from this device: was it set up with the QR code just shown?"
	}
	return "the two codes are not consecutive"
}

// step finds the time step around now at which the codes begin, one after the
// other; 0 where there is none.
func (e Enroller) step(d Device, codes ...string) int64 {
	now := e.Now()
	for n := -codeReach; n <= codeReach; n++ {
		var begin int64
		for i, want := range codes {
			c, step, err := provider.TOTP(d.Seed, now.Add(time.Duration(n+i)*provider.CodePeriod))
			if err != nil || c != want {
				begin = 0
				break
			}
			if i == 0 {
				begin = step
			}
		}
		if begin != 0 {
			return begin
		}
	}
	return 0
}

// send enables the device. Both codes count as used from here on, whatever
// AWS answers.
func (e Enroller) send(ctx context.Context, d Device, one, two string) error {
	first := e.step(d, one, two)
	for i, digits := range []string{one, two} {
		if _, err := e.Used.Use(ctx, d.Serial, digits, first+int64(i)); err != nil {
			return err
		}
	}
	in := &awsiam.EnableMFADeviceInput{UserName: &e.User, SerialNumber: &d.Serial, AuthenticationCode1: &one, AuthenticationCode2: &two}
	for try := 1; ; try++ {
		_, err := e.once().enableMFADevice(ctx, in)
		switch {
		case code(err) == "EntityTemporarilyUnmodifiable" && try < busyTries:
			if err := e.Sleep(ctx, busyPause); err != nil {
				return err
			}
			continue
		case code(err) == "NoSuchEntity":
			return errGone
		case code(err) == "EntityAlreadyExists", errors.Is(err, provider.ErrUnreachable):
			// AWS may have done it and the answer been lost.
			if enabled, lerr := e.devices(ctx, e.User); lerr == nil && slices.Contains(enabled, d.Serial) {
				return nil
			}
		}
		return inWords(err)
	}
}

// finish makes the device known here, and only then forgets the pending seed.
func (e Enroller) finish(ctx context.Context, d Device) error {
	if err := e.Finish(ctx, d); err != nil {
		return err
	}
	return e.forget(ctx)
}
