import { type Config, formatDuration } from '@wrapup/config';
import type { AgentWebhooks, WebhookAudit, WebhookPoints, WorkspaceReport } from '@wrapup/recovery';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { chooseSource, exitOf, untilInterrupted, withApi } from '../../connect/sources.ts';
import { showProblems } from '../../show/show-counts.ts';
import { clean } from '../../terminal/clean.ts';
import { EXIT, type ExitCode } from '../../terminal/exit.ts';
import { count, makeOutput, type Output, table, when } from '../../terminal/output.ts';
import { makeProgress } from '../../terminal/progress.ts';

export interface SourceOptions extends GlobalOptions {
  source: string;
  /** Milliseconds. */
  lookBack: number;
}

/** Where a webhook points, for people. */
const TARGETS: Record<WebhookPoints, string> = {
  here: 'here',
  'no-token': 'here, without the path token: answered 404',
  'old-token': 'here, with a token that is not (or no longer) in path_token: answered 404',
  'wrong-path': 'an address that this installation answers with 404, or the other kind of webhook',
  'other-source': 'another source of this installation',
  elsewhere: 'another system',
  nowhere: 'nowhere',
};
/** Who answered a failed webhook. */
const REFUSED_BY: Record<keyof WebhookAudit['refused_by'], string> = {
  wrapup: 'were refused by Wrapup',
  proxy: 'were refused by something in front of Wrapup',
  no_answer: 'had no answer',
};
/** Targets whose webhooks get lost. */
const LOST: ReadonlySet<WebhookPoints> = new Set(['no-token', 'old-token', 'wrong-path']);

/** `wrapup doctor --source`: where the agents of a workspace point, and how its webhooks were answered. Reads only. */
export async function checkSource(options: SourceOptions): Promise<void> {
  const output = makeOutput(options.json ?? false);
  const config: Config = await requireConfig(options, output);
  const source = chooseSource(config, options.source);
  const { inspectWorkspace } = await import('@wrapup/recovery');
  const progress = makeProgress(output, 'steps');
  let step = 0;
  let found: WorkspaceReport;
  try {
    found = await withApi(source, (api) =>
      untilInterrupted((signal) =>
        inspectWorkspace({
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

function exitCode({ agents, troubles }: WorkspaceReport): ExitCode {
  const [trouble] = troubles.filter(({ code }) => code !== 'no-workspace');
  if (trouble) return exitOf(trouble.code);
  const lost = agents.some(
    ({ post_call, inbound_call }) => LOST.has(post_call.points) || LOST.has(inbound_call.points),
  );
  return lost ? EXIT.failed : EXIT.ok;
}

function show({ source, agents, webhooks, troubles }: WorkspaceReport, options: SourceOptions, output: Output): void {
  output.line(`${output.style('bold', clean(source))}: ${count(agents.length, 'agent')}`);
  for (const line of agentTable(agents)) output.line(`  ${line}`);
  const here = agents.filter(({ post_call }) => post_call.points === 'here').length;
  if (here < agents.length) {
    output.line(
      `  ${here} of ${agents.length} send their calls here. Nothing is changed at Synthflow: give the others the address there, or let reconciliation find their calls.`,
    );
  }
  if (webhooks) showWebhooks(webhooks, options, output);
  showProblems(troubles, output);
}

function agentTable(agents: AgentWebhooks[]): string[] {
  const target = ({ points, address }: AgentWebhooks['post_call']) =>
    points === 'here' || points === 'nowhere' ? TARGETS[points] : `${TARGETS[points]} (${address})`;
  return table(
    ['agent', 'type', 'id', 'after a call', 'before an inbound call'],
    agents.map(({ id, name, type, post_call, inbound_call }) => [
      ...[name ?? '', type ?? '', id, target(post_call), target(inbound_call)],
    ]),
  );
}

function showWebhooks(audit: WebhookAudit, { lookBack }: SourceOptions, output: Output): void {
  const { counted, read, more, answers, refused_by, oldest, headers, unsigned } = audit;
  output.line();
  const span = oldest === undefined ? '' : `, the oldest of ${when(oldest)}`;
  output.line(
    `${output.style('bold', 'Webhooks')}: ${count(counted, 'webhook')} in the last ${formatDuration(lookBack)}${more ? ' (the newest only)' : ''}${span}`,
  );
  for (const [status, number] of Object.entries(answers).sort(([, a], [, b]) => b - a)) {
    const good = /^2/.test(status);
    output.line(
      `  ${String(number).padStart(6)}  ${output.style(good ? 'green' : 'red', status === 'none' ? 'no answer' : status)}`,
    );
  }
  const refused = Object.entries(REFUSED_BY).flatMap(([who, verdict]) => {
    const number = refused_by[who as keyof typeof refused_by];
    return number > 0 ? [`${number} ${verdict}`] : [];
  });
  if (refused.length > 0) output.line(`  of the failed ones that were read, ${refused.join(', ')}`);
  if (answers[413])
    output.line(
      '  413: the body was too large for ingress or a proxy; docs/guide/missing-webhooks.md names the settings',
    );
  for (const { name, seen, verified, understood } of headers) {
    const line = `signed as ${clean(name)}: ${seen} of ${count(read, 'webhook')}, ${verified} with a secret of this source`;
    output.line(`  ${understood ? line : output.style('red', `${line}; ingress does not look under this name`)}`);
  }
  if (unsigned > 0) output.line(`  not signed: ${unsigned} of ${count(read, 'webhook')}`);
}
