// Judges requests by IAM policies: an array of simulations on stdin, an array
// of {result, errors} on stdout, in the same order.
import { runSimulation } from '@cloud-copilot/iam-simulate'

let text = ''
for await (const chunk of process.stdin) text += chunk
const answers = []
for (const s of JSON.parse(text)) {
  const r = await runSimulation({ serviceControlPolicies: [], resourceControlPolicies: [], ...s }, {})
  answers.push({ result: r.overallResult ?? r.result ?? r.analysis?.result, errors: r.errors })
}
process.stdout.write(JSON.stringify(answers))
