import { type Config, formatDuration } from '@wrapup/config';
import type { AgentPointing, Discovery, Evidence, Points } from '@wrapup/recovery';
import { clean } from '../clean.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { count, makeOutput, type Output, table, when } from '../output.ts';
import { makeProgress } from '../progress.ts';
import { type GlobalOptions, requireConfig } from '../settings.ts';
import { chooseSource, exitOf, untilInterrupted, withApi } from '../sources.ts';
import { showTroubles } from '../tally.ts';

export interface SourceOptions extends GlobalOptions {
  source: string;
  /** Milliseconds. */
  lookBack: number;
}

/** Agents that do not bring their calls here, by what to do about it. */
const SAYS: Record<Points, string> = {
  here: 'here',
  'no-token': 'here, without the path token: answered 404',
  'old-token': 'here, with a token that is not (or no longer) in path_token: answered 404',
  'wrong-path': 'an address that this installation answers with 404, or the other kind of webhook',
  'other-source': 'another source of this installation',
  elsewhere: 'another system',
  nowhere: 'nowhere',
};
/** Who a failed webhook's answer came from. */
const BY: Record<string, string> = {
  wrapup: 'were refused by Wrapup',
  nobody: 'had no answer',
  'something in front': 'were refused by something in front of Wrapup',
};
const LOST: ReadonlySet<Points> = new Set(['no-token', 'old-token', 'wrong-path']);

/** `wrapup doctor --source`: what the workspace at Synthflow looks like from here. Changes nothing there. */
export async function examineSource(options: SourceOptions): Promise<void> {
  const output = makeOutput(options.json ?? false);
  const config: Config = await requireConfig(options, output);
  const source = chooseSource(config, options.source);
  const { discover } = await import('@wrapup/recovery');
  const progress = makeProgress(output, 'steps');
  let step = 0;
  let found: Discovery;
  try {
    found = await withApi(source, (api) =>
      untilInterrupted((signal) =>
        discover({
          ...{ api, source, signal, look_back: options.lookBack, sources: Object.keys(config.sources) },
          onProgress: (what) => progress.show(step++, undefined, `reading ${what}`),
        }),
      ),
    );
  } finally {
    progress.end();
  }
  output.data({ ok: exitCode(found) === EXIT.ok, ...found });
  show(found, options, output);
  process.exitCode = exitCode(found);
}

function exitCode({ agents, troubles }: Discovery): ExitCode {
  const [trouble] = troubles.filter(({ code }) => code !== 'no-workspace');
  if (trouble) return exitOf(trouble.code);
  const lost = agents.some(
    ({ post_call, inbound_call }) => LOST.has(post_call.points) || LOST.has(inbound_call.points),
  );
  return lost ? EXIT.failed : EXIT.ok;
}

function show(
  { source, agents, evidence, answers, troubles }: Discovery,
  options: SourceOptions,
  output: Output,
): void {
  output.line(`${output.style('bold', clean(source))}: ${count(agents.length, 'agent')}`);
  for (const line of agentTable(agents)) output.line(`  ${line}`);
  const brought = agents.filter(({ post_call }) => post_call.points === 'here').length;
  if (brought < agents.length) {
    output.line(
      `  ${brought} of ${agents.length} bring their calls here. Nothing is changed at Synthflow: give the others the address there, or let reconciliation find their calls.`,
    );
  }
  if (evidence) showWebhooks(evidence, options, output);
  if (answers.length > 0) {
    output.line();
    output.line(output.style('bold', 'What Synthflow does not document, as this workspace shows it'));
    for (const { question, answer } of answers) {
      output.line(`  ${question}`);
      output.line(
        `    ${answer === undefined ? output.style('dim', 'nothing to tell it from yet') : clean(answer, 600)}`,
      );
    }
  }
  showTroubles(troubles, output);
}

function agentTable(agents: AgentPointing[]): string[] {
  const told = ({ points, address }: AgentPointing['post_call']) =>
    points === 'here' || points === 'nowhere' ? SAYS[points] : `${SAYS[points]} (${address})`;
  return table(
    ['agent', 'type', 'id', 'after a call', 'before an inbound call'],
    agents.map(({ id, name, type, post_call, inbound_call }) => [
      ...[name ?? '', type ?? '', id, told(post_call), told(inbound_call)],
    ]),
  );
}

function showWebhooks(evidence: Evidence, { lookBack }: SourceOptions, output: Output): void {
  const { webhooks, more, answers, refusedBy, oldest, headers } = evidence;
  output.line();
  const span = oldest === undefined ? '' : `, the oldest of ${when(oldest)}`;
  output.line(
    `${output.style('bold', 'Webhooks')}: ${count(webhooks, 'webhook')} in the last ${formatDuration(lookBack)}${more ? ' (the newest only)' : ''}${span}`,
  );
  for (const [status, number] of Object.entries(answers).sort(([, a], [, b]) => b - a)) {
    const good = /^2/.test(status);
    output.line(
      `  ${String(number).padStart(6)}  ${output.style(good ? 'green' : 'red', status === 'none' ? 'no answer' : status)}`,
    );
  }
  const refused = Object.entries(refusedBy).map(([who, number]) => `${number} ${BY[who] ?? who}`);
  if (refused.length > 0) output.line(`  of the failed ones that could be read, ${refused.join(', ')}`);
  if (answers[413])
    output.line(
      '  413: the body was too large for whoever answered; docs/guide/missing-webhooks.md names the settings',
    );
  const unknown = headers.filter(({ understood, verified }) => !understood && verified > 0);
  for (const { name } of unknown) {
    output.line(output.style('red', `  The signature comes as ${clean(name)}, under which ingress does not look.`));
  }
}
