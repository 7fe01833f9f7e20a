import { clientOf } from '@wrapup/call';
import { type Config, formatDuration, type Retention, type Source } from '@wrapup/config';
import type { AgentRef, Backfilled } from '@wrapup/recovery';
import type { Ask, SynthflowApi } from '@wrapup/synthflow';
import type { Command } from 'commander';
import { fetchCalls } from '../../calls/refetch-calls.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { chooseSource, exitOf, untilInterrupted, withApi } from '../../connect/sources.ts';
import { withStore } from '../../connect/store.ts';
import { showCounts, showProblems } from '../../show/show-counts.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput, type Output, when } from '../../terminal/output.ts';
import { parseSince } from '../../terminal/parse-options.ts';
import { makeProgress } from '../../terminal/progress.ts';

interface BackfillOptions extends GlobalOptions {
  source?: string;
  from?: number;
  to?: number;
  agent?: string[];
  plan?: boolean;
  fromLogs?: boolean;
  call?: string[];
}

/** `wrapup backfill`: enqueues calls of the past that never arrived, or single calls again. */
export function addBackfill(program: Command): void {
  addClientOption(
    program
      .command('backfill')
      .description('enqueue calls of the past that the ledger does not have, behind live calls'),
  )
    .option('--from <when>', 'calls that began then or later: 30d, or a date', parseSince)
    .option('--call <id...>', 'instead of a span: fetch these calls again, also ones that the ledger has')
    .option('--to <when>', 'and before then (default: now)', parseSince)
    .option('--source <name>', 'source (default: the only one)')
    .option('--agent <id or name...>', 'only calls of these agents')
    .option('--plan', 'only count')
    .option('--from-logs', 'replay webhooks as they were sent, as far as Synthflow still has them (needs workspace_id)')
    .addHelpText(
      'after',
      '\nAn interrupted backfill continues with the same command. Calls that the ledger has are left alone.\nExits 0 when all calls were compared, 1 when some could not be, 3 when Synthflow did not answer.',
    )
    .action(async (_options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<BackfillOptions>());
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const source = chooseSource(config, options.source);
      if (options.call) return fetchCalls(source, config, options.call, options, output);
      if (options.from === undefined) throw new CliError(EXIT.usage, '--from <when> or --call <id> is needed');
      const span = { from: options.from, to: Math.min(options.to ?? Date.now(), Date.now()) };
      if (span.from >= span.to) throw new CliError(EXIT.usage, '--from must be before --to, and not in the future');
      if (options.fromLogs && source.workspace_id === undefined) {
        const hint = 'give workspace_id to the source: Synthflow shows it in the address of the workspace';
        throw new CliError(EXIT.failed, `--from-logs needs the workspace_id of source ${source.name}`, hint);
      }
      const { retentionOf } = await import('@wrapup/config');
      warnOfForgotten(retentionOf(config, source.name), span.from, output);
      const done = await run(source, config, span, options, output);
      show(done, span, options, output);
      const { counts, ...rest } = done;
      const iso = (at: number) => new Date(at).toISOString();
      const asked = { source: source.name, from: iso(span.from), to: iso(span.to), plan: options.plan ?? false };
      output.data({ ok: done.result === 'complete', ...asked, ...rest, ...counts });
      if (done.result === 'partial') process.exitCode = EXIT.failed;
      if (done.result === 'failed') process.exitCode = exitOf(done.troubles[0]?.code);
    });
}

/** A call whose ledger entry has expired looks as if it had never arrived. */
function warnOfForgotten({ ledger_days: days }: Retention, from: number, output: Output): void {
  if (Date.now() - from < days * 24 * 3600_000) return;
  output.remark(
    `The ledger goes back ${days} days: older calls are delivered again even if they were delivered before. Their records are found by their keys and not created twice.`,
  );
}

async function run(
  source: Source,
  config: Config,
  span: { from: number; to: number },
  options: BackfillOptions,
  output: Output,
): Promise<Backfilled> {
  const [{ backfill, findAgents, makeBackpressure }, { RECONCILE_DEFAULTS, retentionOf }] = await Promise.all([
    import('@wrapup/recovery'),
    import('@wrapup/config'),
  ]);
  const { grace } = source.reconcile ?? RECONCILE_DEFAULTS;
  const progress = makeProgress(output, options.fromLogs ? 'webhooks' : 'calls');
  let so_far: [number, number | undefined] = [0, undefined];
  try {
    return await withStore((store) =>
      withApi(source, (api) =>
        untilInterrupted(async (signal) => {
          if (!options.plan) await store.audit.note(operator(), { action: 'backfill', source: source.name });
          const note = (text: string) => progress.show(...so_far, text);
          return backfill({
            ...{ store, api, source, ...span, signal },
            agents: await chooseAgents(findAgents, api, source, options.agent, { signal }),
            before: Date.now() - grace,
            ledger_days: retentionOf(config, source.name).ledger_days,
            ...(options.plan && { plan: true }),
            ...(options.fromLogs && { from_logs: true }),
            waitForCapacity: makeBackpressure({
              ...{ store, signal, source: source.name },
              // Not those of others, whose backlog is theirs.
              connections: Object.keys(config.connections).filter((name) => clientOf(name) === clientOf(source.name)),
              onWait: (jobs) => note(`${jobs} wait for the workers`),
            }),
            onProgress: ({ listed, missing }, total) => {
              so_far = [listed, total];
              note(`${missing} missing`);
            },
            onWait: ({ message }, ms) =>
              note(`${clean(message)} Again in ${formatDuration(Math.ceil(ms / 1000) * 1000)}.`),
          });
        }),
      ),
    );
  } finally {
    progress.end();
  }
}

async function chooseAgents(
  find: (api: SynthflowApi, source: Source, ask: Ask) => Promise<AgentRef[]>,
  api: SynthflowApi,
  source: Source,
  wanted: string[] | undefined,
  ask: Ask,
): Promise<AgentRef[]> {
  const agents = await find(api, source, ask);
  if (!wanted) return agents;
  return wanted.flatMap((text) => {
    const named = agents.filter(({ id, name }) => id === text || name?.toLowerCase() === text.toLowerCase());
    if (named.length > 0) return named;
    const known = agents.map(({ id, name }) => (name ? `${name} (${id})` : id)).join(', ');
    throw new CliError(EXIT.usage, `there is no agent "${text}"`, `the workspace has: ${known || 'none'}`);
  });
}

function show(
  { counts, agents, result, troubles, resumed }: Backfilled,
  { from, to }: { from: number; to: number },
  options: BackfillOptions,
  output: Output,
): void {
  const { listed, known, missing, enqueued } = counts;
  const span = `${when(from)} to ${when(to)}, ${count(agents, 'agent')}`;
  output.line(`${span}${resumed ? '; resumed where an earlier one stopped' : ''}`);
  const brought = options.plan ? 'nothing enqueued, as only counted' : `${enqueued} enqueued`;
  output.line(`${listed} listed, ${known} known, ${missing} missing, ${brought}`);
  showCounts(counts, output, undefined);
  showProblems(troubles, output);
  if (result !== 'complete' && !options.plan) output.line('The same command continues from here.');
}
