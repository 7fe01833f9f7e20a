/**
 * Enqueues history: what reconciliation does for the last hours, for any span, behind everything else.
 *
 * The span of each agent is cut into days, oldest first, with a checkpoint after each day: the same command resumes where
 * an earlier one was interrupted or killed. A backfill that completes removes its checkpoints, so that the next one
 * compares everything again. A call that is compared twice is known the second time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { addCounts, type CallCounts, zeroCounts } from './counts.ts';
import { enqueueFromLogs } from './enqueue-from-logs.ts';
import { type EnqueueOptions, enqueueMissing, type ScanResult, type TimeWindow } from './enqueue-missing.ts';
import { Checkpoints, type RunProblem, type RunResult } from './runs.ts';
import type { AgentRef } from './source-api.ts';

export interface BackfillOptions extends TimeWindow {
  store: Store;
  api: SynthflowApi;
  source: Source;
  /** Agents whose calls are compared. */
  agents: AgentRef[];
  /** Takes payloads from the webhook logs instead of reading records. */
  from_logs?: boolean;
  ledger_days: number;
  /** Epoch ms: calls that ended later are left to their webhooks. */
  before: number;
  /** Counts and enqueues nothing. */
  plan?: boolean;
  signal: AbortSignal;
  /** Awaited before each batch is enqueued. */
  waitForCapacity?(): Promise<void>;
  /** @param total calls to compare; undefined when Synthflow does not say */
  onProgress?(so_far: Readonly<CallCounts>, total: number | undefined): void;
  /** Called before a wait of so many ms, with the reason. */
  onWait?(why: SynthflowApiError, ms: number): void;
  /** Milliseconds of the first wait when Synthflow does not answer; default 2 s. */
  base?: number;
}

export interface Backfilled {
  result: RunResult;
  /** Agents whose whole span was compared. */
  agents: number;
  counts: CallCounts;
  troubles: RunProblem[];
  /** It resumed where an earlier one stopped. */
  resumed: boolean;
}

const DAY_MS = 24 * 3600_000;
/** Waits in a row for a Synthflow that does not answer, growing to a minute: some eight minutes in all. */
const MAX_WAITS = 12;
const MAX_WAIT_MS = 60_000;
const MAX_PROBLEMS = 10;

/** The calls or webhooks of one agent, day by day. */
interface AgentScan {
  agent: string;
  enqueue(window: TimeWindow, options: EnqueueOptions): Promise<ScanResult>;
  count(window: TimeWindow): Promise<number | undefined>;
}

/** @throws the reason of the signal, or an error of Redis: the same backfill resumes from there */
export async function backfill(options: BackfillOptions): Promise<Backfilled> {
  const { store, source, from, to, plan, signal } = options;
  const checkpoints = new Checkpoints(store, source.name, options.from_logs ? 'logs' : 'calls');
  const scans = scansOf(options);
  const done: Backfilled = { result: 'complete', agents: 0, counts: zeroCounts(), troubles: [], resumed: false };
  try {
    const begun = await Promise.all(
      scans.map(async ({ agent }) => (plan ? undefined : checkpoints.read(agent, { from, to }))),
    );
    for (const checkpoint of begun) if (checkpoint) addCounts(done.counts, checkpoint.counts);
    done.resumed = begun.some(Boolean);
    const total = await countAll(scans, (index) => ({ from: begun[index]?.until ?? from, to }), done.counts.listed);
    options.onProgress?.(done.counts, total);
    for (const [index, scan] of scans.entries()) {
      const checkpoint = begun[index];
      await scanAgent(
        scan,
        { from: checkpoint?.until ?? from, to },
        checkpoint?.counts,
        options,
        checkpoints,
        done,
        total,
      );
      done.agents += 1;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SynthflowApiError)) throw error;
    done.result = 'failed';
    const { code, message, hint } = error;
    done.troubles.unshift({ code, message, ...(hint ? { hint } : {}) });
  }
  if (done.result === 'complete' && done.troubles.length > 0) done.result = 'partial';
  if (done.result === 'complete' && !plan) await checkpoints.forget(scans.map(({ agent }) => agent));
  done.troubles = done.troubles.slice(0, MAX_PROBLEMS);
  return done;
}

function scansOf({ api, agents, from_logs, signal }: BackfillOptions): AgentScan[] {
  const ask = { signal };
  return agents.map(({ id }) =>
    from_logs
      ? {
          agent: id,
          enqueue: (window, options) => enqueueFromLogs(id, window, options),
          count: (window) =>
            api.countWebhookLogs({ webhook_type: 'external_webhook', assistant_id: id, ...window }, ask),
        }
      : {
          agent: id,
          enqueue: (window, options) => enqueueMissing(id, window, options),
          count: (window) => api.countCalls({ model_id: id, ...window }, ask),
        },
  );
}

/** Undefined as soon as one agent cannot be counted: half a total would give a wrong estimate. */
async function countAll(scans: AgentScan[], windowOf: (index: number) => TimeWindow, before: number) {
  let total = before;
  for (const [index, scan] of scans.entries()) {
    const calls = await scan.count(windowOf(index)).catch((error: unknown) => {
      // The scan is refused in the same way, and reports it.
      if (error instanceof SynthflowApiError) return undefined;
      throw error;
    });
    if (calls === undefined) return undefined;
    total += calls;
  }
  return total;
}

async function scanAgent(
  scan: AgentScan,
  { from, to }: TimeWindow,
  before: CallCounts | undefined,
  options: BackfillOptions,
  checkpoints: Checkpoints,
  done: Backfilled,
  total: number | undefined,
): Promise<void> {
  const ofAgent = { ...zeroCounts(), ...before };
  let whole = true;
  for (let day = from; day < to; day += DAY_MS) {
    const window = { from: day, to: Math.min(day + DAY_MS, to) };
    const so_far = { ...done.counts };
    const enqueue = () =>
      scan.enqueue(window, {
        ...options,
        received: 'backfill',
        onFound: (found) => {
          addCounts(so_far, found);
          options.onProgress?.(so_far, total);
        },
      });
    const troubles: RunProblem[] = [];
    const found = await withWaits(enqueue, options, () => Object.assign(so_far, done.counts)).catch(
      (error: unknown) => {
        if (!(error instanceof SynthflowApiError) || error.again || !OF_ONE_AGENT.has(error.code)) throw error;
        troubles.push({ code: error.code, message: error.message });
        return undefined;
      },
    );
    if (found) {
      addCounts(done.counts, found.counts);
      addCounts(ofAgent, found.counts);
      troubles.push(...found.unread);
      if (!found.complete) troubles.push({ code: 'incomplete', message: incomplete(window) });
    }
    done.troubles.push(...troubles.map((one) => ({ agent: scan.agent, ...one })));
    // The next backfill starts again at the first day with a problem.
    whole &&= troubles.length === 0;
    if (whole && !options.plan) await checkpoints.write(scan.agent, { from, until: window.to, to, counts: ofAgent });
    if (!found) return;
  }
}

const OF_ONE_AGENT: ReadonlySet<string> = new Set(['refused', 'too_large']);

function incomplete({ from }: TimeWindow): string {
  return `Synthflow counts more calls than it listed from ${new Date(from).toISOString().slice(0, 16)}Z on.`;
}

/** Waits while Synthflow does not answer, or throttles: a backfill may run unattended for a night. */
async function withWaits<T>(
  work: () => Promise<T>,
  { signal, onWait, base = 2_000 }: BackfillOptions,
  again: () => void,
): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SynthflowApiError) || !error.again || waits >= MAX_WAITS) throw error;
      const ms = Math.max(error.details.retry_after ?? 0, Math.min(MAX_WAIT_MS, base * 2 ** waits));
      onWait?.(error, ms);
      await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
      again();
    }
  }
}
