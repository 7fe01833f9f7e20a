/**
 * Finds calls whose webhook never came: lists each agent's calls at Synthflow, compares them with the ledger, and puts
 * on their way those that are missing.
 *
 * One run of a source at a time, across processes, by a lease. Each agent is marked when it is done: a run that was
 * killed is taken up by the next one where it stopped. The mark also says up to when an agent's calls have been
 * compared, so that after an outage longer than `look_back` the next run looks back as far as it has to.
 */
import type { Reconcile, Source } from '@wrapup/config';
import { RedisLease, type Store } from '@wrapup/queue';
import { type SynthflowApi, SynthflowApiError } from '@wrapup/synthflow';
import { type AgentRef, findAgents } from './agents.ts';
import { bringIn, type Window } from './bring-in.ts';
import { type AgentMark, type Run, type RunResult, Runs, type Trouble } from './runs.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

export interface ReconcileOptions {
  store: Store;
  api: SynthflowApi;
  source: Source;
  settings: Pick<Reconcile, 'look_back' | 'grace'>;
  ledger_days: number;
  by: Run['by'];
  signal: AbortSignal;
  /** Epoch ms. */
  now?: () => number;
  /** Milliseconds to wait for another run to end; default 20 s, longer than a killed one holds the lease. */
  patience?: number;
  onAgents?(agents: AgentRef[]): void;
  /** Hears after each agent, with what all of them came to so far. */
  onAgent?(done: number, so_far: Readonly<Tally>): void;
}

/** Another run of the source is under way. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning';
}

/** Milliseconds that a lease outlives its holder. */
const LEASE = 15_000;
const PATIENCE = 20_000;
const LOOK_AGAIN = 250;
/** A run that was killed is taken up by one that begins at most so many ms later; after that everything is new. */
const TAKEN_UP = 30 * 60_000;
/** Calls are listed by their beginning and compared by their end: none is taken to be longer than this, ms. */
const LONGEST_CALL = 2 * 3600_000;
/** How far back a run goes for what earlier ones missed, ms. Beyond that is a matter of backfill. */
const CATCH_UP = 7 * 24 * 3600_000;
const DAY = 24 * 3600_000;
const MOST_TROUBLES = 10;

/**
 * @throws AlreadyRunning · the reason of the signal: the run is taken up by the next one · what Redis says. What
 * Synthflow says is in the run.
 */
export async function reconcile(options: ReconcileOptions): Promise<Run> {
  const { store, source, patience = PATIENCE } = options;
  const lease = new RedisLease(store.redis, store.keys);
  const until = Date.now() + patience;
  for (;;) {
    options.signal.throwIfAborted();
    const held = await lease.take([`reconcile:${source.name}`], LEASE);
    if (held) {
      try {
        return await run(options, new Runs(store, source.name));
      } finally {
        await held.release().catch(() => {});
      }
    }
    if (Date.now() >= until) throw new AlreadyRunning(`A reconciliation of source ${source.name} is under way.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

async function run(options: ReconcileOptions, runs: Runs): Promise<Run> {
  const { api, source, by, signal, now = Date.now } = options;
  const before = await runs.running();
  const resumed = before !== undefined && now() - before.began < TAKEN_UP;
  const began = resumed ? before.began : now();
  await runs.begin({ began, by });

  const tally = emptyTally();
  const troubles: Trouble[] = [];
  let agents: AgentRef[] = [];
  let done = 0;
  let result: RunResult = 'complete';
  try {
    agents = await findAgents(api, source, { signal });
    options.onAgents?.(agents);
    for (const { id } of agents) {
      const mark = await runs.mark(id);
      const ofAgent =
        resumed && mark && mark.at >= began ? { tally: mark.tally } : await look(id, mark, options, runs, now());
      addTally(tally, ofAgent.tally);
      if ('troubles' in ofAgent) troubles.push(...ofAgent.troubles);
      done += 1;
      options.onAgent?.(done, tally);
    }
    if (troubles.length > 0) result = 'partial';
  } catch (error) {
    if (!(error instanceof SynthflowApiError)) throw error;
    result = done > 0 ? 'partial' : 'failed';
    troubles.unshift(troubleOf(error));
  }
  const ended: Run = {
    ...{ source: source.name, by, began, ended: now(), result, agents: done, tally, resumed },
    troubles: troubles.slice(0, MOST_TROUBLES),
  };
  await runs.end(ended);
  return ended;
}

/** One agent. Failures that are about it alone are noted; those of the API as a whole are thrown. */
async function look(
  id: string,
  mark: AgentMark | undefined,
  options: ReconcileOptions,
  runs: Runs,
  now: number,
): Promise<{ tally: Tally; troubles: Trouble[] }> {
  const { store, api, source, settings, ledger_days, signal } = options;
  const until = now - settings.grace;
  const window = { from: beginningOf(mark, options, now), to: now };
  try {
    const { tally, complete, unread } = await bringIn(id, window, {
      ...{ store, api, source, ledger_days, signal, before: until },
      received: 'reconciled',
    });
    const troubles: Trouble[] = unread.map((one) => ({ agent: id, ...one }));
    if (!complete) {
      const message = 'Synthflow counts more calls than it listed, three times over.';
      troubles.push({ agent: id, code: 'incomplete', message, hint: 'The next run looks again.' });
    }
    if (troubles.length === 0) await runs.setMark(id, { until, at: now, tally });
    if (mark && mark.until < window.from) troubles.push(gapOf(id, mark.until, window.from));
    return { tally, troubles };
  } catch (error) {
    if (!(error instanceof SynthflowApiError) || !OF_ONE_AGENT.has(error.code)) throw error;
    return { tally: emptyTally(), troubles: [{ agent: id, ...troubleOf(error) }] };
  }
}

const OF_ONE_AGENT: ReadonlySet<string> = new Set(['refused', 'too_large', 'unreadable', 'unavailable']);

/** Never further back than the ledger remembers: what it has forgotten would look as if it had never come. */
function beginningOf(
  mark: AgentMark | undefined,
  { settings, ledger_days }: Pick<ReconcileOptions, 'settings' | 'ledger_days'>,
  now: number,
): Window['from'] {
  const usual = now - settings.look_back;
  const missed = mark ? Math.max(mark.until - LONGEST_CALL, now - CATCH_UP) : usual;
  return Math.max(Math.min(usual, missed), now - (ledger_days - 1) * DAY);
}

/** Nothing of an agent was compared for so long that nobody would look for it any more. */
function gapOf(agent: string, from: number, to: number): Trouble {
  const span = [from, to].map((at) => new Date(at).toISOString().slice(0, 16));
  const message = `Nothing was compared from ${span[0]}Z to ${span[1]}Z.`;
  const hint = `wrapup backfill --from ${span[0]}Z --to ${span[1]}Z --agent ${agent} brings in what is missing.`;
  return { agent, code: 'gap', message, hint };
}

function troubleOf({ code, message, hint }: SynthflowApiError): Trouble {
  return { code, message, ...(hint ? { hint } : {}) };
}
