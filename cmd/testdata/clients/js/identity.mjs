// Says who it is, by the SDK's own chain of credential providers; once more
// for each line that it is sent.
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sts = new STSClient({});
const say = async () => console.log((await sts.send(new GetCallerIdentityCommand({}))).Arn);

await say();
if (process.env.GROAT_TEST_AGAIN) {
  for await (const _ of createInterface({ input: process.stdin })) {
    await say();
  }
}
