# A state in S3, with its lock, and nothing that needs a provider.
terraform {
  backend "s3" {
    bucket           = "groat-test-state"
    key              = "demo/terraform.tfstate"
    region           = "eu-west-1"
    use_path_style   = true
    use_lockfile     = true
    skip_s3_checksum = true
  }
}

variable "word" {
  type = string
}

resource "terraform_data" "word" {
  input = var.word
}

output "word" {
  value = terraform_data.word.output
}
