package provider

import (
	"regexp"
	"strings"
	"sync"

	"groat/provider/profile"
)

// defaultRegions are, by partition, where its STS is asked when no region is
// configured anywhere.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var defaultRegions = map[string]string{
	"aws":        "us-east-1",
	"aws-cn":     "cn-northwest-1",
	"aws-us-gov": "us-gov-west-1",
	"aws-iso":    "us-iso-east-1",
	"aws-iso-b":  "us-isob-east-1",
	"aws-iso-e":  "eu-isoe-west-1",
	"aws-iso-f":  "us-isof-south-1",
	"aws-eusc":   "eusc-de-east-1",
}

const defaultPartition = "aws"

// partitionOfARN is the partition that an ARN names; "" for anything else
// (the serial of a hardware device, an empty string).
func partitionOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" || defaultRegions[parts[1]] == "" {
		return ""
	}
	return parts[1]
}

// place chooses region and partition of a call: the region configured for it
// decides; without one the first ARN that names a partition, in that
// partition's default region.
func place(region string, arns ...string) (string, string) {
	if region != "" {
		return region, profile.PartitionOf(region)
	}
	for _, arn := range arns {
		if p := partitionOfARN(arn); p != "" {
			return defaultRegions[p], p
		}
	}
	return defaultRegions[defaultPartition], defaultPartition
}

// IsRegion reports whether a region's name can be part of a host name. Services
// that are not AWS's call their regions what they like.
func IsRegion(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && strings.Trim(s, alphanumeric+"-") == ""
}

var awsRegion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2,5}(-[a-z0-9]+){2,3}$`) })

// IsAWSRegion reports whether a name has the form of AWS's regions, as the
// hosts of its sign-in and console need.
func IsAWSRegion(s string) bool { return awsRegion().MatchString(s) }
