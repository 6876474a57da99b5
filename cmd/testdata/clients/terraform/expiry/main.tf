# Says who it is, waits for longer than its credentials last, and says it again.
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

variable "seconds" {
  type = number
}

data "aws_caller_identity" "before" {}

resource "terraform_data" "wait" {
  input = data.aws_caller_identity.before.arn

  provisioner "local-exec" {
    command = "sleep ${var.seconds}"
  }
}

data "aws_caller_identity" "after" {
  depends_on = [terraform_data.wait]
}

output "after" {
  value = data.aws_caller_identity.after.arn
}
