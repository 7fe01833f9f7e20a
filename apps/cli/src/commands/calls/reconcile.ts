import type { Config, Source } from '@wrapup/config';
import type { ReconcileRun } from '@wrapup/recovery';
import type { Command } from 'commander';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { chooseSource, exitOf, untilInterrupted, withApi } from '../../connect/sources.ts';
import { withStore } from '../../connect/store.ts';
import { showCounts, showProblems } from '../../show/show-counts.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../../terminal/exit.ts';
import { count, makeOutput, type Output } from '../../terminal/output.ts';
import { parseTime } from '../../terminal/parse-options.ts';
import { makeProgress } from '../../terminal/progress.ts';

interface ReconcileOptions extends GlobalOptions {
  source?: string;
  grace?: number;
  lookBack?: number;
}

/** `wrapup reconcile`: finds calls whose webhook never came, now. */
export function addReconcile(program: Command): void {
  addClientOption(
    program
      .command('reconcile')
      .description('list the calls at Synthflow, and enqueue those whose webhook never arrived'),
  )
    .option('--source <name>', 'default: every source that has an api_key')
    .option('--grace <time>', 'how long after its end a webhook may still come (default: as configured)', parseTime)
    .option('--look-back <time>', 'how far back to list calls (default: as configured)', parseTime)
    .addHelpText(
      'after',
      '\nThe workers do the same on a schedule where a source has an api_key, unless it says reconcile: false. Only one run of a source is allowed at a time.\nExits 0 when every agent was compared, 1 when some could not be, 3 when Synthflow did not answer.',
    )
    .action(async (_options, command: Command) => {
      const options = withFullNames(command.optsWithGlobals<ReconcileOptions>());
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const runs: ReconcileRun[] = [];
      for (const source of choose(config, options.source)) {
        const run = await runNow(source, config, options, output);
        runs.push(run);
        show(run, source, options, output);
      }
      output.data({ ok: runs.every(({ result }) => result === 'complete'), sources: runs.map(flat) });
      process.exitCode = Math.max(...runs.map(exitCode));
    });
}

function choose(config: Config, name: string | undefined): Source[] {
  if (name !== undefined) return [chooseSource(config, name)];
  const sources = Object.values(config.sources).filter(({ api_key }) => api_key !== undefined);
  if (sources.length > 0) return sources;
  const hint = 'create one in Synthflow under Settings > API Keys and give it to api_key of the source';
  throw new CliError(EXIT.failed, 'no source has an api_key, so none can be asked for its calls', hint);
}

async function runNow(
  source: Source,
  config: Config,
  options: ReconcileOptions,
  output: Output,
): Promise<ReconcileRun> {
  const [{ AlreadyRunning, reconcile }, { RECONCILE_DEFAULTS, retentionOf }] = await Promise.all([
    import('@wrapup/recovery'),
    import('@wrapup/config'),
  ]);
  const usual = source.reconcile ?? RECONCILE_DEFAULTS;
  const settings = { look_back: options.lookBack ?? usual.look_back, grace: options.grace ?? usual.grace };
  const progress = makeProgress(output, 'agents');
  let agents: number | undefined;
  try {
    return await withStore((store) =>
      withApi(source, (api) =>
        untilInterrupted(async (signal) => {
          await store.audit.note(operator(), { action: 'reconcile', source: source.name });
          return reconcile({
            ...{ store, api, source, settings, signal },
            ledger_days: retentionOf(config, source.name).ledger_days,
            by: 'command',
            onAgents: (found) => {
              agents = found.length;
            },
            onAgent: (done, { listed, missing }) =>
              progress.show(done, agents, `${count(listed, 'call')} listed, ${missing} missing`),
          });
        }),
      ),
    );
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error;
    throw new CliError(EXIT.failed, error.message, 'wait for it to end; the dashboard shows what it found');
  } finally {
    progress.end();
  }
}

function show(run: ReconcileRun, source: Source, options: ReconcileOptions, output: Output): void {
  const { counts, agents, troubles, result } = run;
  const { listed, known, missing, enqueued } = counts;
  const verdict =
    result === 'failed'
      ? output.style('red', 'failed')
      : `${listed} listed, ${known} known, ${missing} missing, ${enqueued} enqueued (${count(agents, 'agent')})`;
  output.line(`${output.style('bold', clean(source.name))}: ${verdict}`);
  showCounts(counts, output, options.grace ?? source.reconcile?.grace);
  showProblems(troubles, output);
}

function exitCode({ result, troubles }: ReconcileRun): ExitCode {
  if (result === 'complete') return EXIT.ok;
  return result === 'failed' ? exitOf(troubles[0]?.code) : EXIT.failed;
}

function flat({ counts, began, ended, ...run }: ReconcileRun): object {
  return { ...run, ...counts, at: new Date(began).toISOString(), ms: ended - began };
}
