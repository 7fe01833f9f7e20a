/** `wrapup backfill --call`: single calls, read again from the voice platform. */
import type { Config, Source } from '@wrapup/config';
import type { RefetchResult } from '@wrapup/recovery';
import { exitOf, untilInterrupted, withApi } from '../connect/sources.ts';
import { withStore } from '../connect/store.ts';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../terminal/exit.ts';
import type { Output } from '../terminal/output.ts';

/** Options that say something about a span of time only. */
interface SpanOptions {
  from?: number;
  to?: number;
  agent?: string[];
  fromLogs?: boolean;
  plan?: boolean;
}

interface Result {
  call_id: string;
  result: RefetchResult | 'failed';
  code?: string;
  message?: string;
}

const SAYS: Record<RefetchResult, (id: string) => string> = {
  brought: (id) => `fetched and enqueued; wrapup calls show ${id} shows what becomes of it`,
  restored: (id) =>
    `its payload is back, and is the one that was delivered before; wrapup replay ${id} delivers it again`,
  known: (id) => `nothing new: its payload is there as Synthflow has it; wrapup replay ${id} delivers it again`,
  unfinished: () => 'still going on, by what Synthflow says: its webhook comes when it ends',
  forgotten: () => 'was forgotten by wrapup forget, and is not stored again',
};
const HELPED: ReadonlySet<Result['result']> = new Set(['brought', 'restored', 'known']);

export async function fetchCalls(
  source: Source,
  config: Config,
  ids: string[],
  { from, to, agent, fromLogs, plan }: SpanOptions,
  output: Output,
): Promise<void> {
  if ([from, to, agent, fromLogs, plan].some((value) => value !== undefined)) {
    throw new CliError(EXIT.usage, '--call names calls: leave --from, --to, --agent, --from-logs and --plan out');
  }
  const [{ refetchCall }, { SynthflowApiError }, { retentionOf }] = await Promise.all([
    import('@wrapup/recovery'),
    import('@wrapup/synthflow'),
    import('@wrapup/config'),
  ]);
  const results: Result[] = [];
  let worst: ExitCode = EXIT.ok;
  await withStore((store) =>
    withApi(source, (api) =>
      untilInterrupted(async (signal) => {
        const { ledger_days, stopped_days } = retentionOf(config, source.name);
        for (const call_id of new Set(ids)) {
          const shown = clean(call_id);
          try {
            const result = await refetchCall(call_id, { store, api, source, signal, ledger_days, stopped_days });
            results.push({ call_id, result });
            if (!HELPED.has(result)) worst = Math.max(worst, EXIT.failed) as ExitCode;
            output.line(`${shown}: ${SAYS[result](shown)}`);
          } catch (error) {
            if (!(error instanceof SynthflowApiError)) throw error;
            const { code, message, hint } = error;
            results.push({ call_id, result: 'failed', code, message });
            worst = Math.max(worst, exitOf(code)) as ExitCode;
            output.line(`${shown}: ${output.style('red', clean(message))} [${code}]`);
            if (hint) output.line(`    ${clean(hint)}`);
          }
        }
      }),
    ),
  );
  output.data({ source: source.name, calls: results });
  process.exitCode = worst;
}
