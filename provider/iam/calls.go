package iam

import (
	"context"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/provider"
)

// The calls of IAM that are made, and no others: the SDK's client is in no
// interface and in no type parameter, or the linker would keep its other
// hundred and seventy methods.

// call makes one call. Errors are those of provider.CallIAM.
func (c Client) call(ctx context.Context, operation string, do func(context.Context, *awsiam.Client) error) error {
	return provider.CallIAM(ctx, c.Options, c.Credentials, operation, do)
}

func (c Client) createAccessKey(ctx context.Context, in *awsiam.CreateAccessKeyInput) (out *awsiam.CreateAccessKeyOutput, err error) {
	err = c.call(ctx, "CreateAccessKey", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.CreateAccessKey(ctx, in)
		return err
	})
	return out, err
}

func (c Client) createVirtualMFADevice(ctx context.Context, in *awsiam.CreateVirtualMFADeviceInput) (out *awsiam.CreateVirtualMFADeviceOutput, err error) {
	err = c.call(ctx, "CreateVirtualMFADevice", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.CreateVirtualMFADevice(ctx, in)
		return err
	})
	return out, err
}

func (c Client) deactivateMFADevice(ctx context.Context, in *awsiam.DeactivateMFADeviceInput) (out *awsiam.DeactivateMFADeviceOutput, err error) {
	err = c.call(ctx, "DeactivateMFADevice", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.DeactivateMFADevice(ctx, in)
		return err
	})
	return out, err
}

func (c Client) deleteAccessKey(ctx context.Context, in *awsiam.DeleteAccessKeyInput) (out *awsiam.DeleteAccessKeyOutput, err error) {
	err = c.call(ctx, "DeleteAccessKey", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.DeleteAccessKey(ctx, in)
		return err
	})
	return out, err
}

func (c Client) deleteVirtualMFADevice(ctx context.Context, in *awsiam.DeleteVirtualMFADeviceInput) (out *awsiam.DeleteVirtualMFADeviceOutput, err error) {
	err = c.call(ctx, "DeleteVirtualMFADevice", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.DeleteVirtualMFADevice(ctx, in)
		return err
	})
	return out, err
}

func (c Client) enableMFADevice(ctx context.Context, in *awsiam.EnableMFADeviceInput) (out *awsiam.EnableMFADeviceOutput, err error) {
	err = c.call(ctx, "EnableMFADevice", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.EnableMFADevice(ctx, in)
		return err
	})
	return out, err
}

func (c Client) generateCredentialReport(ctx context.Context, in *awsiam.GenerateCredentialReportInput) (out *awsiam.GenerateCredentialReportOutput, err error) {
	err = c.call(ctx, "GenerateCredentialReport", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.GenerateCredentialReport(ctx, in)
		return err
	})
	return out, err
}

func (c Client) getAccessKeyLastUsed(ctx context.Context, in *awsiam.GetAccessKeyLastUsedInput) (out *awsiam.GetAccessKeyLastUsedOutput, err error) {
	err = c.call(ctx, "GetAccessKeyLastUsed", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.GetAccessKeyLastUsed(ctx, in)
		return err
	})
	return out, err
}

func (c Client) getAccountSummary(ctx context.Context, in *awsiam.GetAccountSummaryInput) (out *awsiam.GetAccountSummaryOutput, err error) {
	err = c.call(ctx, "GetAccountSummary", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.GetAccountSummary(ctx, in)
		return err
	})
	return out, err
}

func (c Client) getCredentialReport(ctx context.Context, in *awsiam.GetCredentialReportInput) (out *awsiam.GetCredentialReportOutput, err error) {
	err = c.call(ctx, "GetCredentialReport", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.GetCredentialReport(ctx, in)
		return err
	})
	return out, err
}

func (c Client) listAccessKeys(ctx context.Context, in *awsiam.ListAccessKeysInput) (out *awsiam.ListAccessKeysOutput, err error) {
	err = c.call(ctx, "ListAccessKeys", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ListAccessKeys(ctx, in)
		return err
	})
	return out, err
}

func (c Client) listAccountAliases(ctx context.Context, in *awsiam.ListAccountAliasesInput) (out *awsiam.ListAccountAliasesOutput, err error) {
	err = c.call(ctx, "ListAccountAliases", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ListAccountAliases(ctx, in)
		return err
	})
	return out, err
}

func (c Client) listMFADevices(ctx context.Context, in *awsiam.ListMFADevicesInput) (out *awsiam.ListMFADevicesOutput, err error) {
	err = c.call(ctx, "ListMFADevices", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ListMFADevices(ctx, in)
		return err
	})
	return out, err
}

func (c Client) listServiceSpecificCredentials(ctx context.Context, in *awsiam.ListServiceSpecificCredentialsInput) (out *awsiam.ListServiceSpecificCredentialsOutput, err error) {
	err = c.call(ctx, "ListServiceSpecificCredentials", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ListServiceSpecificCredentials(ctx, in)
		return err
	})
	return out, err
}

func (c Client) listVirtualMFADevices(ctx context.Context, in *awsiam.ListVirtualMFADevicesInput) (out *awsiam.ListVirtualMFADevicesOutput, err error) {
	err = c.call(ctx, "ListVirtualMFADevices", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ListVirtualMFADevices(ctx, in)
		return err
	})
	return out, err
}

func (c Client) putRolePolicy(ctx context.Context, in *awsiam.PutRolePolicyInput) (out *awsiam.PutRolePolicyOutput, err error) {
	err = c.call(ctx, "PutRolePolicy", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.PutRolePolicy(ctx, in)
		return err
	})
	return out, err
}

func (c Client) putUserPolicy(ctx context.Context, in *awsiam.PutUserPolicyInput) (out *awsiam.PutUserPolicyOutput, err error) {
	err = c.call(ctx, "PutUserPolicy", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.PutUserPolicy(ctx, in)
		return err
	})
	return out, err
}

func (c Client) resyncMFADevice(ctx context.Context, in *awsiam.ResyncMFADeviceInput) (out *awsiam.ResyncMFADeviceOutput, err error) {
	err = c.call(ctx, "ResyncMFADevice", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.ResyncMFADevice(ctx, in)
		return err
	})
	return out, err
}

func (c Client) updateAccessKey(ctx context.Context, in *awsiam.UpdateAccessKeyInput) (out *awsiam.UpdateAccessKeyOutput, err error) {
	err = c.call(ctx, "UpdateAccessKey", func(ctx context.Context, api *awsiam.Client) (err error) {
		out, err = api.UpdateAccessKey(ctx, in)
		return err
	})
	return out, err
}
