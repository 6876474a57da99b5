// Gov1 says who it is by the first AWS SDK for Go, which many programs that
// people have installed were built with.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/sts"
)

func main() {
	s, err := session.NewSessionWithOptions(session.Options{SharedConfigState: session.SharedConfigEnable})
	if err != nil {
		log.Fatal(err)
	}
	me, err := sts.New(s, &aws.Config{Endpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_STS"))}).GetCallerIdentity(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ARN=" + *me.Arn)
}
