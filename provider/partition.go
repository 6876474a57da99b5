package provider

import (
	"regexp"
	"strings"
)

// A partition is a separate AWS with its own accounts, keys and endpoints.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type partition struct {
	id            string
	region        *regexp.Regexp // matches the names of its regions, future ones included
	defaultRegion string         // where its STS is asked when no region is configured
	dnsSuffix     string
}

// partitions is in the order in which a region's name is tried; the regular
// expressions are those of AWS's endpoint rules.
var partitions = []partition{
	{"aws-cn", regexp.MustCompile(`^cn-\w+-\d+$`), "cn-northwest-1", "amazonaws.com.cn"},
	{"aws-us-gov", regexp.MustCompile(`^us-gov-\w+-\d+$`), "us-gov-west-1", "amazonaws.com"},
	{"aws-iso", regexp.MustCompile(`^us-iso-\w+-\d+$`), "us-iso-east-1", "c2s.ic.gov"},
	{"aws-iso-b", regexp.MustCompile(`^us-isob-\w+-\d+$`), "us-isob-east-1", "sc2s.sgov.gov"},
	{"aws-iso-e", regexp.MustCompile(`^eu-isoe-\w+-\d+$`), "eu-isoe-west-1", "cloud.adc-e.uk"},
	{"aws-iso-f", regexp.MustCompile(`^us-isof-\w+-\d+$`), "us-isof-south-1", "csp.hci.ic.gov"},
	{"aws-eusc", regexp.MustCompile(`^eusc-\w+-\w+-\d+$`), "eusc-de-east-1", "amazonaws.eu"},
}

// commercial is the partition of every region that no other one claims.
var commercial = partition{"aws", regexp.MustCompile(`^.*$`), "us-east-1", "amazonaws.com"}

func partitionOfRegion(region string) partition {
	for _, p := range partitions {
		if p.region.MatchString(region) {
			return p
		}
	}
	return commercial
}

// partitionOfARN tells the partition that an ARN names; ok is false for
// anything else (the serial of a hardware device, an empty string).
func partitionOfARN(arn string) (partition, bool) {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" {
		return partition{}, false
	}
	if parts[1] == commercial.id {
		return commercial, true
	}
	for _, p := range partitions {
		if p.id == parts[1] {
			return p, true
		}
	}
	return partition{}, false
}

// place chooses region and partition of a call: the region configured for it
// decides; without one the first ARN that names a partition, in that
// partition's default region.
func place(region string, arns ...string) (string, partition) {
	if region != "" {
		return region, partitionOfRegion(region)
	}
	for _, arn := range arns {
		if p, ok := partitionOfARN(arn); ok {
			return p.defaultRegion, p
		}
	}
	return commercial.defaultRegion, commercial
}

// Region is a partition's default region for STS: what a call uses when no
// region is configured anywhere and arn names the partition ("" = aws).
func Region(arn string) string {
	region, _ := place("", arn)
	return region
}
