"""Says who it is, by boto3's own chain of credential providers."""

import os

import boto3

# Old releases do not know AWS_ENDPOINT_URL_STS.
sts = boto3.client("sts", endpoint_url=os.environ.get("AWS_ENDPOINT_URL_STS"))
print(sts.get_caller_identity()["Arn"])
