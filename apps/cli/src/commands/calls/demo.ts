import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { addClientOption } from '../../connect/client-option.ts';
import { askSandbox, type DemoProgress, sandboxAddress } from '../../connect/sandbox-control.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { addressOf, credentials } from '../../connect/webhook-address.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';
import { parseCount, parseTime } from '../../terminal/parse-options.ts';
import { makeProgress } from '../../terminal/progress.ts';

interface DemoOptions extends GlobalOptions {
  calls: number;
  rate: number;
  lose: number;
  pace?: number;
  past?: number;
  seed?: number;
  source?: string;
  url: string;
  sandbox?: string;
  stop?: boolean;
  inbound?: boolean;
  yes?: boolean;
}

/** `wrapup demo`: the sandbox makes calls, as Synthflow would. */
export function addDemo(program: Command): void {
  addClientOption(
    program
      .command('demo')
      .description('have the sandbox make calls that ring, reach voicemail or a person, and send their webhooks'),
  )
    .option('--calls <n>', 'how many', parseCount, 20)
    .option('--rate <n/s>', 'calls a second: 5/s, 30/min', parseRate, 5)
    .option('--lose <part>', 'webhooks that are never sent, for reconciliation to find: 15%', parsePart, 0)
    .option('--pace <time>', 'how long a call rings and lasts, at most (default 1500ms)', parseTime)
    .option('--past <time>', 'calls of the past, over so long, without webhooks: 7d; for backfill to find', parseTime)
    .option('--inbound', 'ask ingress who is calling before an inbound call connects')
    .option('--seed <n>', 'other calls for another number', parseCount)
    .option('--source <name>', 'source (default: the only one, else main)')
    .option(
      '--url <url>',
      'where ingress is, as the sandbox reaches it',
      process.env.INGRESS_URL || `http://127.0.0.1:${process.env.INGRESS_PORT || 8080}`,
    )
    .option('--sandbox <url>', 'where the sandbox is (default: SANDBOX_URL, else this machine)')
    .option('--yes', 'also when its calls would be written to accounts on the internet')
    .option('--stop', 'stop the demo that runs')
    .addHelpText('after', '\nExits 0 when every webhook that was sent was taken, 1 when one was not.')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<DemoOptions>();
      const output = makeOutput(options.json ?? false);
      const sandbox = options.sandbox ?? sandboxAddress();
      if (options.stop) {
        await askSandbox(sandbox, 'DELETE');
        output.data({ stopped: true });
        return output.line('Stopped.');
      }
      if (options.past === undefined && !options.yes) await refuseLive(options, output);
      const { source, secret, token } = await credentials(options, output);
      await askSandbox(sandbox, 'POST', {
        calls: options.calls,
        rate: options.rate,
        lose: options.lose,
        ...(options.pace === undefined ? {} : { pace: options.pace }),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        ...(options.inbound && { inbound: addressOf(options.url, source, token, 'inbound-call') }),
        ...(options.past === undefined
          ? { webhook: addressOf(options.url, source, token), ...(secret === undefined ? {} : { secret }) }
          : { past: options.past }),
      });
      const status = await follow(sandbox, output);
      output.data(status);
      report(status, output, options);
      const refused = Object.keys(status.webhooks.answers).some((answer) => !/^2/.test(answer));
      if (refused) process.exitCode = EXIT.failed;
    });
}

/** Invented people belong in no real account. */
async function refuseLive(options: DemoOptions, output: Output): Promise<void> {
  const config = await requireConfig(options, output);
  const { KINDS, targetHostOf } = await import('@wrapup/config');
  const live = [...new Set(config.routes.map(({ to }) => to))].flatMap((name) => {
    const connection = config.connections[name];
    const target = connection && targetHostOf(KINDS[connection.kind] ?? connection, connection.settings);
    return target?.zone === 'internet' ? [`${clean(name)} at ${clean(target.origin)}`] : [];
  });
  if (live.length === 0) return;
  throw new CliError(
    EXIT.failed,
    `a demo’s calls would be written to ${live.join(' and ')}, which is no sandbox`,
    'point the connection at the sandbox, or say --yes if you mean it',
  );
}

async function follow(sandbox: string, output: Output): Promise<DemoProgress> {
  const progress = makeProgress(output, 'calls');
  try {
    for (;;) {
      const status = await askSandbox(sandbox, 'GET');
      if (!status) throw new CliError(EXIT.failed, 'the sandbox was reset while the demo ran');
      if (!status.running) return status;
      const { sent, lost } = status.webhooks;
      progress.show(status.over, status.calls, `${count(sent, 'webhook')} sent${lost > 0 ? `, ${lost} lost` : ''}`);
      await pause(200);
    }
  } finally {
    progress.end();
  }
}

function report(status: DemoProgress, output: Output, { past }: DemoOptions): void {
  const { webhooks, over, calls, ms } = status;
  output.line(`${over} of ${count(calls, 'call')} over, in ${(ms / 1000).toFixed(1)} s`);
  for (const [kind, number] of Object.entries(status.went).sort(([, a], [, b]) => b - a)) {
    output.line(`  ${String(number).padStart(6)}  ${clean(kind)}`);
  }
  if (past !== undefined) {
    output.line('No webhook was sent, as they are of the past. `wrapup backfill` brings them in.');
    return;
  }
  const asked = Object.entries(status.inbound).map(
    ([answer, number]) => `${number} ${clean(answer.replace('_', ' '))}`,
  );
  if (asked.length > 0) output.line(`Before inbound calls connected: ${asked.join(', ')}`);
  output.line(`${count(webhooks.sent, 'webhook')} sent, ${webhooks.lost} lost on purpose`);
  for (const [answer, number] of Object.entries(webhooks.answers)) {
    const good = /^2/.test(answer);
    const said = answer === '0' ? 'no answer' : answer;
    output.line(`  ${String(number).padStart(6)}  ${output.style(good ? 'green' : 'red', said)}`);
  }
  if (webhooks.lost > 0) {
    output.line('`wrapup reconcile --grace 0s` finds the lost ones at once; by itself it waits for late webhooks.');
  }
}

function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:\/(s|min))?$/.exec(text.trim());
  const rate = match ? Number(match[1]) / (match[2] === 'min' ? 60 : 1) : 0;
  if (rate < 0.01 || rate > 10_000) throw new InvalidArgumentError('It must be calls a second, such as 5/s or 30/min.');
  return rate;
}

function parsePart(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%)?$/.exec(text.trim());
  const part = match ? Number(match[1]) / (match[2] ? 100 : 1) : -1;
  if (part < 0 || part > 1) throw new InvalidArgumentError('It must be a part of the calls, such as 15% or 0.15.');
  return part;
}
