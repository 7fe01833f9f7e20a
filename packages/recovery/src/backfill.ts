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
import { findMissing, type ScanResult, type TimeWindow } from './find-missing.ts';
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
  /** Called before each wait, with its reason and its milliseconds. */
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

/** @throws the reason of the signal, or an error of Redis: the same backfill resumes from there */
export async function backfill(options: BackfillOptions): Promise<Backfilled> {
  return new Backfill(options).run();
}

class Backfill {
  readonly #options: BackfillOptions;
  readonly #checkpoints: Checkpoints;
  readonly #counts = zeroCounts();
  readonly #problems: RunProblem[] = [];
  #total: number | undefined;

  constructor(options: BackfillOptions) {
    this.#options = options;
    this.#checkpoints = new Checkpoints(options.store, options.source.name, options.from_logs ? 'logs' : 'calls');
  }

  async run(): Promise<Backfilled> {
    const { from, to, plan, signal } = this.#options;
    const agents = this.#options.agents.map(({ id }) => id);
    let [compared, resumed, failed] = [0, false, false];
    try {
      const begun = await Promise.all(
        agents.map(async (agent) => (plan ? undefined : this.#checkpoints.read(agent, { from, to }))),
      );
      for (const checkpoint of begun) if (checkpoint) addCounts(this.#counts, checkpoint.counts);
      resumed = begun.some(Boolean);
      const spans = agents.map((agent, index) => ({ agent, from: begun[index]?.until ?? from, to }));
      this.#total = await this.#countAll(spans);
      this.#report(this.#counts);
      for (const [index, span] of spans.entries()) {
        await this.#compareAgent(span.agent, span, begun[index]?.counts);
        compared += 1;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SynthflowApiError)) throw error;
      failed = true;
      const { code, message, hint } = error;
      this.#problems.unshift({ code, message, ...(hint ? { hint } : {}) });
    }
    const result = failed ? 'failed' : this.#problems.length > 0 ? 'partial' : 'complete';
    if (result === 'complete' && !plan) await this.#checkpoints.forget(agents);
    return { result, agents: compared, counts: this.#counts, troubles: this.#problems.slice(0, MAX_PROBLEMS), resumed };
  }

  /** Compares an agent day by day, with a checkpoint after each. @param before counts of the days that are done */
  async #compareAgent(agent: string, { from, to }: TimeWindow, before: CallCounts | undefined): Promise<void> {
    const ofAgent = { ...zeroCounts(), ...before };
    let complete = true;
    for (let day = from; day < to; day += DAY_MS) {
      const window = { from: day, to: Math.min(day + DAY_MS, to) };
      const { found, problems } = await this.#compareDay(agent, window);
      if (found) for (const counts of [this.#counts, ofAgent]) addCounts(counts, found.counts);
      this.#problems.push(...problems.map((problem) => ({ agent, ...problem })));
      // The next backfill starts again at the first day with a problem.
      complete &&= problems.length === 0;
      if (complete && !this.#options.plan) {
        await this.#checkpoints.write(agent, { from, until: window.to, to, counts: ofAgent });
      }
      if (!found) return;
    }
  }

  /** @returns nothing found when Synthflow refuses this agent alone */
  async #compareDay(agent: string, window: TimeWindow): Promise<{ found?: ScanResult; problems: RunProblem[] }> {
    const compare = this.#options.from_logs ? enqueueFromLogs : findMissing;
    try {
      const found = await this.#withWaits(() => {
        const so_far = { ...this.#counts };
        const onFound = (counts: CallCounts) => {
          addCounts(so_far, counts);
          this.#report(so_far);
        };
        return compare(agent, window, { ...this.#options, received: 'backfill', onFound });
      });
      const problems: RunProblem[] = [...found.unread];
      if (!found.complete) problems.push({ code: 'incomplete', message: incomplete(window) });
      return { found, problems };
    } catch (error) {
      if (!(error instanceof SynthflowApiError) || error.again || !OF_ONE_AGENT.has(error.code)) throw error;
      return { problems: [{ code: error.code, message: error.message }] };
    }
  }

  /** Undefined as soon as one agent cannot be counted: half a total would give a wrong estimate. */
  async #countAll(spans: (TimeWindow & { agent: string })[]): Promise<number | undefined> {
    let total = this.#counts.listed;
    for (const span of spans) {
      const calls = await this.#countAgent(span).catch((error: unknown) => {
        // The comparison is refused in the same way, and reports it.
        if (error instanceof SynthflowApiError) return undefined;
        throw error;
      });
      if (calls === undefined) return undefined;
      total += calls;
    }
    return total;
  }

  #countAgent({ agent, from, to }: TimeWindow & { agent: string }): Promise<number | undefined> {
    const { api, from_logs, signal } = this.#options;
    return from_logs
      ? api.countWebhookLogs({ webhook_type: 'external_webhook', assistant_id: agent, from, to }, { signal })
      : api.countCalls({ model_id: agent, from, to }, { signal });
  }

  /** Waits while Synthflow does not answer, or throttles: a backfill may run unattended for a night. */
  async #withWaits<T>(work: () => Promise<T>): Promise<T> {
    const { signal, onWait, base = 2_000 } = this.#options;
    for (let waits = 0; ; waits++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof SynthflowApiError) || !error.again || waits >= MAX_WAITS) throw error;
        const ms = Math.max(error.details.retry_after ?? 0, Math.min(MAX_WAIT_MS, base * 2 ** waits));
        onWait?.(error, ms);
        await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  #report(so_far: CallCounts): void {
    this.#options.onProgress?.(so_far, this.#total);
  }
}

/** Failures that concern one agent alone. */
const OF_ONE_AGENT: ReadonlySet<string> = new Set(['refused', 'too_large']);

function incomplete({ from }: TimeWindow): string {
  return `Synthflow counts more calls than it listed from ${new Date(from).toISOString().slice(0, 16)}Z on.`;
}
