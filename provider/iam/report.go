package iam

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/provider"
)

// How long a credential report may be in the making, and how often it is
// looked for.
const (
	reportPatience = 5 * time.Minute
	reportPause    = 2 * time.Second
	throttledPause = 10 * time.Second
)

// report gets the account's standing credential report, and has one made only
// where there is none: AWS makes one in four hours, and throttles those who ask
// for more.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
func (c Client) report(ctx context.Context, clock Clock, progress func(string)) (content []byte, made time.Time, err error) {
	begun := clock.Now()
	asked := false
	for {
		out, err := c.getCredentialReport(ctx, &awsiam.GetCredentialReportInput{})
		pause := reportPause
		switch code(err) {
		case "":
			if err != nil {
				return nil, made, err
			}
			return out.Content, *out.GeneratedTime, nil
		case "ReportInProgress":
			asked = true // by us or by somebody else
		case "ReportNotPresent", "ReportExpired":
			if asked {
				break // it takes a moment to be seen
			}
			if _, err := c.generateCredentialReport(ctx, &awsiam.GenerateCredentialReportInput{}); err != nil {
				if !throttled(err) {
					return nil, made, err
				}
				pause = throttledPause
			} else {
				asked = true
			}
		default:
			if !throttled(err) {
				return nil, made, err
			}
			pause = throttledPause
		}
		waited := clock.Now().Sub(begun)
		if waited > reportPatience {
			return nil, made, fmt.Errorf("AWS did not finish the credential report within %v: %w", reportPatience, provider.ErrUnreachable)
		}
		progress(fmt.Sprintf("waiting for AWS to make the credential report (%d s)", int(waited.Seconds())))
		if err := clock.Sleep(ctx, pause); err != nil {
			return nil, made, err
		}
	}
}

// throttled reports whether AWS asked for patience.
func throttled(err error) bool {
	var e *provider.CallError
	return errors.As(err, &e) && (e.Code == "LimitExceeded" || e.Code != "" && errors.Is(e, provider.ErrUnreachable) && e.Status < 500)
}

// reportRow is one line of a report by its column's names; AWS adds columns.
type reportRow struct {
	columns map[string]int
	fields  []string
}

func (r reportRow) text(column string) string {
	if i, ok := r.columns[column]; ok && i < len(r.fields) {
		return r.fields[i]
	}
	return ""
}

func (r reportRow) is(column string) bool { return strings.EqualFold(r.text(column), "true") }

// time is zero for "N/A", "no_information" and "not_supported".
func (r reportRow) time(column string) time.Time {
	t, err := time.Parse(time.RFC3339, r.text(column))
	if err != nil {
		return time.Time{}
	}
	return t
}

// errReport says that an answer is not a credential report.
var errReport = fmt.Errorf("the credential report cannot be read: %w", provider.ErrUnreachable)

// eachRow reads a report row by row; row is good until the next one.
func eachRow(content []byte, row func(reportRow)) error {
	r := csv.NewReader(bytes.NewReader(content))
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	header, err := r.Read()
	if err != nil {
		return errReport
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[name] = i
	}
	for _, name := range []string{"user", "arn", "password_enabled", "mfa_active", "access_key_1_active"} {
		if _, ok := columns[name]; !ok {
			return errReport
		}
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errReport
		}
		row(reportRow{columns, fields})
	}
}
