/**
 * Finds calls whose webhook never arrived: has each agent's calls listed at Synthflow and compared with the ledger
 * (`find-missing.ts`).
 *
 * A lease allows one run of a source at a time, across processes. Each agent has a checkpoint, so that the next run
 * resumes one that was killed. The checkpoint also says up to when an agent's calls have been compared: after an outage
 * longer than `look_back` the next run looks back as far as it has to.
 */
import type { Reconcile, Source } from '@wrapup/config';
import { RedisLease, type Store } from '@wrapup/queue';
import { type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { addCounts, type CallCounts, zeroCounts } from './counts.ts';
import { findMissing, type TimeWindow } from './find-missing.ts';
import { type AgentCheckpoint, type ReconcileRun, type RunProblem, type RunResult, RunStore } from './runs.ts';
import { type AgentRef, findAgents } from './source-api.ts';

export interface ReconcileOptions {
  store: Store;
  api: SynthflowApi;
  source: Source;
  settings: Pick<Reconcile, 'look_back' | 'grace'>;
  ledger_days: number;
  by: ReconcileRun['by'];
  signal: AbortSignal;
  /** Epoch ms. */
  now?: () => number;
  /** Milliseconds to wait for another run to end; default 20 s, longer than a killed one holds the lease. */
  patience?: number;
  onAgents?(agents: AgentRef[]): void;
  /** Called after each agent, with the counts of all of them so far. */
  onAgent?(done: number, so_far: Readonly<CallCounts>): void;
}

/** Another run of the source is under way. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning';
}

/** Milliseconds that a lease outlives its holder. */
const LEASE_MS = 15_000;
const LEASE_WAIT_MS = 20_000;
const LEASE_RETRY_MS = 250;
/** A killed run is resumed by one that begins at most this many ms later. */
const RESUME_WITHIN_MS = 30 * 60_000;
/** Calls are listed by their beginning and compared by their end: none is assumed to take longer than this. */
const MAX_CALL_MS = 2 * 3600_000;
/** How far back a run goes for what earlier ones missed. Beyond that, a backfill is needed. */
const CATCH_UP_MS = 7 * 24 * 3600_000;
const DAY_MS = 24 * 3600_000;
const MAX_PROBLEMS = 10;

/**
 * @throws AlreadyRunning · the reason of the signal, after which the next run resumes this one · errors of Redis.
 * Errors of Synthflow are in the run.
 */
export async function reconcile(options: ReconcileOptions): Promise<ReconcileRun> {
  const { store, source, patience = LEASE_WAIT_MS } = options;
  const lease = new RedisLease(store.redis, store.keys);
  const until = Date.now() + patience;
  for (;;) {
    options.signal.throwIfAborted();
    const held = await lease.take([`reconcile:${source.name}`], LEASE_MS);
    if (held) {
      try {
        return await run(options, new RunStore(store, source.name));
      } finally {
        await held.release().catch(() => {});
      }
    }
    if (Date.now() >= until) throw new AlreadyRunning(`A reconciliation of source ${source.name} is under way.`);
    await new Promise((resolve) => setTimeout(resolve, LEASE_RETRY_MS));
  }
}

async function run(options: ReconcileOptions, runs: RunStore): Promise<ReconcileRun> {
  const { api, source, by, signal, now = Date.now } = options;
  const before = await runs.running();
  const resumed = before !== undefined && now() - before.began < RESUME_WITHIN_MS;
  const began = resumed ? before.began : now();
  await runs.begin({ began, by });

  const counts = zeroCounts();
  const troubles: RunProblem[] = [];
  let agents: AgentRef[] = [];
  let done = 0;
  let result: RunResult = 'complete';
  try {
    agents = await findAgents(api, source, { signal });
    options.onAgents?.(agents);
    for (const { id } of agents) {
      const checkpoint = await runs.checkpoint(id);
      const ofAgent =
        resumed && checkpoint && checkpoint.at >= began
          ? { counts: checkpoint.counts }
          : await compareAgent(id, checkpoint, options, runs, now());
      addCounts(counts, ofAgent.counts);
      if ('troubles' in ofAgent) troubles.push(...ofAgent.troubles);
      done += 1;
      options.onAgent?.(done, counts);
    }
    if (troubles.length > 0) result = 'partial';
  } catch (error) {
    if (!(error instanceof SynthflowApiError)) throw error;
    result = done > 0 ? 'partial' : 'failed';
    troubles.unshift(problemOf(error));
  }
  const ended: ReconcileRun = {
    ...{ source: source.name, by, began, ended: now(), result, agents: done, counts, resumed },
    troubles: troubles.slice(0, MAX_PROBLEMS),
  };
  await runs.end(ended);
  return ended;
}

/** Compares one agent. Failures that concern it alone are noted; those of the API as a whole are thrown. */
async function compareAgent(
  id: string,
  checkpoint: AgentCheckpoint | undefined,
  options: ReconcileOptions,
  runs: RunStore,
  now: number,
): Promise<{ counts: CallCounts; troubles: RunProblem[] }> {
  const { store, api, source, settings, ledger_days, signal } = options;
  const until = now - settings.grace;
  const window = { from: beginningOf(checkpoint, options, now), to: now };
  try {
    const { counts, complete, unread } = await findMissing(id, window, {
      ...{ store, api, source, ledger_days, signal, before: until },
      received: 'reconciled',
    });
    const troubles: RunProblem[] = unread.map((one) => ({ agent: id, ...one }));
    if (!complete) {
      const message = 'Synthflow counts more calls than it listed, three times over.';
      troubles.push({ agent: id, code: 'incomplete', message, hint: 'The next run looks again.' });
    }
    if (troubles.length === 0) await runs.setCheckpoint(id, { until, at: now, counts });
    if (checkpoint && checkpoint.until < window.from) troubles.push(describeGap(id, checkpoint.until, window.from));
    return { counts, troubles };
  } catch (error) {
    if (!(error instanceof SynthflowApiError) || !OF_ONE_AGENT.has(error.code)) throw error;
    return { counts: zeroCounts(), troubles: [{ agent: id, ...problemOf(error) }] };
  }
}

const OF_ONE_AGENT: ReadonlySet<string> = new Set(['refused', 'too_large', 'unreadable', 'unavailable']);

/** Never further back than the ledger goes: a call whose entry has expired would look as if it had never arrived. */
function beginningOf(
  checkpoint: AgentCheckpoint | undefined,
  { settings, ledger_days }: Pick<ReconcileOptions, 'settings' | 'ledger_days'>,
  now: number,
): TimeWindow['from'] {
  const usual = now - settings.look_back;
  const missed = checkpoint ? Math.max(checkpoint.until - MAX_CALL_MS, now - CATCH_UP_MS) : usual;
  return Math.max(Math.min(usual, missed), now - (ledger_days - 1) * DAY_MS);
}

/** A span that no run compared, and that is too old for the next one. */
function describeGap(agent: string, from: number, to: number): RunProblem {
  const span = [from, to].map((at) => new Date(at).toISOString().slice(0, 16));
  const message = `Nothing was compared from ${span[0]}Z to ${span[1]}Z.`;
  const hint = `wrapup backfill --from ${span[0]}Z --to ${span[1]}Z --agent ${agent} brings in what is missing.`;
  return { agent, code: 'gap', message, hint };
}

function problemOf({ code, message, hint }: SynthflowApiError): RunProblem {
  return { code, message, ...(hint ? { hint } : {}) };
}
