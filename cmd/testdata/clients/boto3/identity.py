"""Says who it is, by boto3's own chain of credential providers."""

import boto3

print(boto3.client("sts").get_caller_identity()["Arn"])
