// Says who it is, by the SDK's own chain of credential providers.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const me = await new STSClient({}).send(new GetCallerIdentityCommand({}));
console.log(me.Arn);
