/**
 * Brings in history: what reconciliation does for the last hours, for any span, behind everything else.
 *
 * The span of each agent is cut into days, oldest first, and each day is marked when it is done: the same command goes
 * on where an earlier one was interrupted or killed. A backfill that came to its end forgets its marks, so that the next
 * one looks at everything again. Whatever is looked at twice is known the second time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import type { AgentRef } from './agents.ts';
import { type BringIn, bringIn, type Found, type Window } from './bring-in.ts';
import { bringInFromLogs } from './from-logs.ts';
import { Marks } from './marks.ts';
import type { RunResult, Trouble } from './runs.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

export interface BackfillOptions extends Window {
  store: Store;
  api: SynthflowApi;
  source: Source;
  /** Whose calls. */
  agents: AgentRef[];
  /** Replays what webhook logs still hold instead of reading records. */
  from_logs?: boolean;
  ledger_days: number;
  /** Epoch ms: calls that ended later are left to their webhooks. */
  before: number;
  /** Only counts. */
  plan?: boolean;
  signal: AbortSignal;
  /** Waited for before each batch is put on its way. */
  room?(): Promise<void>;
  /** @param total calls to be looked at; undefined when Synthflow does not say */
  onProgress?(so_far: Readonly<Tally>, total: number | undefined): void;
  /** Hears why it does not go on for so many ms. */
  onWait?(why: SynthflowApiError, ms: number): void;
  /** Milliseconds of the first wait when Synthflow does not answer; default 2 s. */
  base?: number;
}

export interface Backfilled {
  result: RunResult;
  /** Agents whose whole span was looked at. */
  agents: number;
  tally: Tally;
  troubles: Trouble[];
  /** It went on where an earlier one stopped. */
  resumed: boolean;
}

const DAY = 24 * 3600_000;
/** Waits in a row for a Synthflow that does not answer, growing to a minute: some eight minutes in all. */
const WAITS = 12;
const LONGEST_WAIT = 60_000;
const MOST_TROUBLES = 10;

/** One thing to go through, day by day. */
interface Line {
  name: string;
  agent?: string;
  bring(window: Window, options: BringIn): Promise<Found>;
  count(window: Window): Promise<number | undefined>;
}

/** @throws the reason of the signal, or what Redis says: the same call goes on from there */
export async function backfill(options: BackfillOptions): Promise<Backfilled> {
  const { store, source, from, to, plan, signal } = options;
  const marks = new Marks(store, source.name, options.from_logs ? 'logs' : 'calls');
  const lines = linesOf(options);
  const done: Backfilled = { result: 'complete', agents: 0, tally: emptyTally(), troubles: [], resumed: false };
  try {
    const begun = await Promise.all(lines.map(async ({ name }) => (plan ? undefined : marks.read(name, { from, to }))));
    for (const mark of begun) if (mark) addTally(done.tally, mark.tally);
    done.resumed = begun.some(Boolean);
    const total = await countAll(lines, (index) => ({ from: begun[index]?.until ?? from, to }), done.tally.listed);
    options.onProgress?.(done.tally, total);
    for (const [index, line] of lines.entries()) {
      const mark = begun[index];
      await goThrough(line, { from: mark?.until ?? from, to }, mark?.tally, options, marks, done, total);
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
  if (done.result === 'complete' && !plan) await marks.forget(lines.map(({ name }) => name));
  done.troubles = done.troubles.slice(0, MOST_TROUBLES);
  return done;
}

function linesOf({ api, agents, from_logs, signal }: BackfillOptions): Line[] {
  const ask = { signal };
  return agents.map(({ id }) =>
    from_logs
      ? {
          name: id,
          agent: id,
          bring: (window, options) => bringInFromLogs(id, window, options),
          count: (window) =>
            api.countWebhookLogs({ webhook_type: 'external_webhook', assistant_id: id, ...window }, ask),
        }
      : {
          name: id,
          agent: id,
          bring: (window, options) => bringIn(id, window, options),
          count: (window) => api.countCalls({ model_id: id, ...window }, ask),
        },
  );
}

/** Undefined as soon as one line cannot be counted: half a total would tell a wrong time. */
async function countAll(lines: Line[], windowOf: (index: number) => Window, before: number) {
  let total = before;
  for (const [index, line] of lines.entries()) {
    const calls = await line.count(windowOf(index)).catch((error: unknown) => {
      // Whoever is refused here is refused again in a moment, where it is told.
      if (error instanceof SynthflowApiError) return undefined;
      throw error;
    });
    if (calls === undefined) return undefined;
    total += calls;
  }
  return total;
}

async function goThrough(
  line: Line,
  { from, to }: Window,
  before: Tally | undefined,
  options: BackfillOptions,
  marks: Marks,
  done: Backfilled,
  total: number | undefined,
): Promise<void> {
  const ofLine = { ...emptyTally(), ...before };
  let whole = true;
  for (let day = from; day < to; day += DAY) {
    const window = { from: day, to: Math.min(day + DAY, to) };
    const so_far = { ...done.tally };
    const bring = () =>
      line.bring(window, {
        ...options,
        received: 'backfill',
        onFound: (found) => {
          addTally(so_far, found);
          options.onProgress?.(so_far, total);
        },
      });
    const troubles: Trouble[] = [];
    const found = await patiently(bring, options, () => Object.assign(so_far, done.tally)).catch((error: unknown) => {
      if (!(error instanceof SynthflowApiError) || error.again || !OF_ONE_AGENT.has(error.code)) throw error;
      troubles.push({ code: error.code, message: error.message });
      return undefined;
    });
    if (found) {
      addTally(done.tally, found.tally);
      addTally(ofLine, found.tally);
      troubles.push(...found.unread);
      if (!found.complete) troubles.push({ code: 'incomplete', message: incomplete(window) });
    }
    done.troubles.push(...troubles.map((one) => ({ ...(line.agent && { agent: line.agent }), ...one })));
    // From the first day with a trouble on, the next backfill looks again.
    whole &&= troubles.length === 0;
    if (whole && !options.plan) await marks.write(line.name, { from, until: window.to, to, tally: ofLine });
    if (!found) return;
  }
}

const OF_ONE_AGENT: ReadonlySet<string> = new Set(['refused', 'too_large']);

function incomplete({ from }: Window): string {
  return `Synthflow counts more calls than it listed from ${new Date(from).toISOString().slice(0, 16)}Z on.`;
}

/** Waits for a Synthflow that does not answer, or asks to be left alone: nobody watches a backfill all night. */
async function patiently<T>(
  work: () => Promise<T>,
  { signal, onWait, base = 2_000 }: BackfillOptions,
  again: () => void,
): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SynthflowApiError) || !error.again || waits >= WAITS) throw error;
      const ms = Math.max(error.details.retry_after ?? 0, Math.min(LONGEST_WAIT, base * 2 ** waits));
      onWait?.(error, ms);
      await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
      again();
    }
  }
}
