// Package iam is the life of an access key and of the MFA device beside it:
// the policy documents, audit, enrolment, rotation and revocation.
package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Document is an IAM policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one statement of a document. It has either Action or
// NotAction; a trust policy's has a Principal and no Resource.
type Statement struct {
	Sid       string
	Effect    string
	Principal map[string]string            `json:",omitempty"`
	Action    []string                     `json:",omitempty"`
	NotAction []string                     `json:",omitempty"`
	Resource  []string                     `json:",omitempty"`
	Condition map[string]map[string]string `json:",omitempty"`
}

const policyVersion = "2012-10-17"

// JSON is the document, indented by two blanks, with a line feed at its end.
func (d Document) JSON() string { return encode(d) }

// Size is what AWS counts against its limits: the characters that are not
// white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (d Document) Size() int { return len(strings.Join(strings.Fields(d.JSON()), "")) }

func (d Document) isTrust() bool { return len(d.Statement) > 0 && d.Statement[0].Principal != nil }

// Terraform is a resource of Terraform's AWS provider that holds the document
// under the name, as `terraform fmt` would write it.
func (d Document) Terraform(name string) string {
	kind, attribute := "aws_iam_policy", "policy"
	if d.isTrust() {
		kind, attribute = "aws_iam_role", "assume_role_policy"
	}
	// In a heredoc, "${" begins an expression of Terraform's own.
	text := strings.ReplaceAll(strings.TrimSuffix(d.JSON(), "\n"), "${", "$${")
	width := len(attribute)
	return fmt.Sprintf("resource %q %q {\n  %-*s = %q\n  %s = <<-EOT\n    %s\n  EOT\n}\n",
		kind, strings.ReplaceAll(name, "-", "_"), width, "name", name, attribute, strings.ReplaceAll(text, "\n", "\n    "))
}

// CloudFormation is a template, in JSON, with the document as its one resource.
func (d Document) CloudFormation(name string) string {
	type resource struct {
		Type       string
		Properties map[string]any
	}
	r := resource{"AWS::IAM::ManagedPolicy", map[string]any{"PolicyDocument": d}}
	if d.isTrust() {
		r = resource{"AWS::IAM::Role", map[string]any{"AssumeRolePolicyDocument": d}}
	}
	var id strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		id.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return encode(struct {
		AWSTemplateFormatVersion string
		Resources                map[string]resource
	}{"2010-09-09", map[string]resource{id.String(): r}})
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // strings, lists and maps: it cannot fail
	return b.String()
}
