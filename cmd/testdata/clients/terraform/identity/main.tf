# Says who it is, by the AWS provider's own chain of credential providers.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                     = "eu-west-1"
  skip_region_validation     = true
  skip_requesting_account_id = true
}

data "aws_caller_identity" "me" {}

output "arn" {
  value = data.aws_caller_identity.me.arn
}
