package profile

import "strings"

// PartitionOf is the AWS partition of a region; without a region, and for a
// region that no rule knows, "aws".
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func PartitionOf(region string) string {
	for _, p := range []struct{ prefix, partition string }{
		{"cn-", "aws-cn"},
		{"us-gov-", "aws-us-gov"},
		{"us-isob-", "aws-iso-b"},
		{"us-isof-", "aws-iso-f"},
		{"eu-isoe-", "aws-iso-e"},
		{"us-iso-", "aws-iso"},
		{"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return "aws"
}

// partitionOfARN is the partition that an ARN names; "" for anything else.
func partitionOfARN(arn string) string {
	if part := strings.SplitN(arn, ":", 3); len(part) == 3 && part[0] == "arn" && isPartition(part[1]) {
		return part[1]
	}
	return ""
}
