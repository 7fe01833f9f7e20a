import { type Command, InvalidArgumentError } from 'commander';
import type { Message, SendResult } from '../../calls/send-payload.ts';
import { addClientOption } from '../../connect/client-option.ts';
import type { GlobalOptions } from '../../connect/settings.ts';
import { addressOf, credentials } from '../../connect/webhook-address.ts';
import { clean } from '../../terminal/clean.ts';
import { EXIT } from '../../terminal/exit.ts';
import { readInput } from '../../terminal/input.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';

interface SendOptions extends GlobalOptions {
  source?: string;
  url: string;
  secret?: string;
  token?: string;
  callId?: string;
  newId?: boolean;
  times: number;
  parallel?: boolean | number;
  timeout: number;
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 100_000) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 100000.');
  }
  return number;
}

/** The option takes what follows it for its number, and people write the file there. */
function parallel(text: string): number {
  if (!/^[\d+-]/.test(text)) {
    throw new InvalidArgumentError(
      `"${clean(text, 80)}" is no number of messages. If it is the payload, write it before --parallel: wrapup send ${clean(text, 80)} --times 50 --parallel`,
    );
  }
  return positive(text);
}

/** `wrapup send`: what Synthflow would do, for one's own payload. */
export function addSend(program: Command): void {
  addClientOption(program.command('send').description('sign a payload as Synthflow does and post it to ingress'))
    .argument('<payload>', 'a JSON file, or - for standard input')
    .option('--source <name>', 'source (default: the only one, else main)')
    .option(
      '--url <url>',
      'where ingress is',
      process.env.INGRESS_URL || `http://127.0.0.1:${process.env.INGRESS_PORT || 8080}`,
    )
    .option('--secret <secret>', "sign with this instead of the source's first secret; needs no wrapup.yaml")
    .option('--token <token>', "path token (default: the source's first)")
    .option('--call-id <id>', 'send it under this call id; "new" makes one')
    .option('--new-id', 'send it under a fresh call id each time, so that a sample can be sent again')
    .option('--times <n>', 'send it so many times', positive, 1)
    .option('--parallel [n]', 'so many at once; all, when no number is given', parallel)
    .option('--timeout <ms>', 'milliseconds to wait for each answer', positive, 10_000)
    .addHelpText('after', '\nExits 0 when every answer is 2xx, 1 when one is not, 3 when ingress does not answer.')
    .action(async (payload: string, _options, command: Command) => {
      const options = command.optsWithGlobals<SendOptions>();
      const output = makeOutput(options.json ?? false);
      const bytes = await readInput(payload);
      const { secret, token, source } = await credentials(options, output);
      const target = addressOf(options.url, source, token);
      const { prepare, sendAll } = await import('../../calls/send-payload.ts');
      const id = options.newId ? 'new' : options.callId;
      const messages = Array.from({ length: options.times }, () => prepare(bytes, payload, id));
      const parallel = options.parallel === true ? messages.length : options.parallel || 1;
      const answers = await sendAll(messages, { target, secret, parallel, timeout: options.timeout });
      report(answers, messages, target.replace(token ?? '\0', '…'), output);
      if (answers.some(({ status }) => status < 200 || status > 299)) process.exitCode = EXIT.failed;
    });
}

/** Answers shown one by one; more are counted by status. */
const MAX_LISTED_ANSWERS = 5;

function report(answers: SendResult[], messages: Message[], target: string, output: Output): void {
  const statuses: Record<string, number> = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  output.data({
    url: target,
    sent: answers.length,
    statuses,
    answers: answers.map((answer, i) => ({ call_id: messages[i]?.id, ...answer })),
  });
  if (answers.length <= MAX_LISTED_ANSWERS) {
    for (const { status, body, ms } of answers) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const colour = status < 300 ? 'green' : 'red';
      output.line(`${output.style(colour, String(status))} ${clean(text, 2000)} ${output.style('dim', `(${ms} ms)`)}`);
    }
    return;
  }
  output.line(`${count(answers.length, 'answer')} from ${clean(target)}`);
  for (const [status, number] of Object.entries(statuses)) {
    output.line(`  ${output.style(status.startsWith('2') ? 'green' : 'red', status)}  ${number}`);
  }
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  output.line(`  median ${times[Math.floor(times.length / 2)]} ms, slowest ${times.at(-1)} ms`);
}
