import { setTimeout as sleep } from 'node:timers/promises';
import { isOmission } from '@wrapup/destination';
import { clientOfQueue, type Store } from '@wrapup/queue';
import { type CallState, statesOf } from './search-calls.ts';

export interface Overview {
  /** Calls in the ledger. */
  calls: number;
  /** Jobs that wait, run or are delayed, in `calls` and all deliveries. */
  underWay: number;
  parked: number;
  dead: number;
  /** Calls of the last 24 hours by state; a call with two routes may count twice. Absent while they are counted. */
  day?: Partial<Record<CallState, number>>;
  /** Of these, calls of which a field was left out. */
  omitted: number;
  /** The day had more calls than were counted. */
  partial: boolean;
}

const DAY_MS = 24 * 3600_000;
const MAX_COUNTED = 20_000;
const MAX_COUNT_MS = 1_000;
/** Counting a busy day costs Redis thousands of reads, so it is not done for every reader. */
const FRESH_MS = 10_000;
/** Counting pauses for this many times its own duration. */
const PAUSE_FACTOR = 20;
/** How long a page waits for the day's numbers once it has everything else. */
const DAY_WITHIN_MS = 150;

type Day = Required<Pick<Overview, 'day' | 'partial' | 'omitted'>>;

interface DayCount {
  latest?: Day;
  /** Epoch ms from which on it is counted again. */
  due: number;
  counting?: Promise<Day> | undefined;
}

/**
 * Counts what is where. The day's numbers are counted behind the pages: one shows those of a moment ago rather than
 * wait, and says so when there are none yet.
 * @returns the overview of one client, or of all
 */
export function makeOverview(
  store: Store,
  queues: () => Promise<string[]>,
): (client: string | undefined) => Promise<Overview> {
  const days = new Map<string | undefined, DayCount>();
  const countOnce = async (count: DayCount, client: string | undefined) => {
    const began = Date.now();
    try {
      count.latest = await countDay(store, client);
      count.due = Date.now() + Math.max(FRESH_MS, PAUSE_FACTOR * (Date.now() - began));
      return count.latest;
    } finally {
      count.counting = undefined;
    }
  };
  const queuesOf = async (client: string | undefined) =>
    (await queues()).filter((name) => client === undefined || clientOfQueue(name) === client);
  return async (client) => {
    const count = days.get(client) ?? { due: 0 };
    days.set(client, count);
    if (!count.latest || Date.now() >= count.due) count.counting ??= countOnce(count, client);
    const day = count.counting;
    // Looked at below, or by the next page; Redis being away shows in what is asked for beside it.
    day?.catch(() => {});
    const [calls, parked, dead, states] = await Promise.all([
      store.ledger.count(client),
      store.unresolved.count('parked', { client }),
      store.unresolved.count('dead', { client }),
      queuesOf(client).then((names) => store.queues.read(names)),
    ]);
    const fresh = day && (await Promise.race([day, sleep(DAY_WITHIN_MS, undefined, { ref: false })]));
    return {
      ...{ calls, parked, dead, omitted: 0, partial: false },
      underWay: states.reduce((sum, { waiting, active, delayed }) => sum + waiting + active + delayed, 0),
      ...(fresh ?? count.latest),
    };
  };
}

async function countDay(store: Store, client: string | undefined): Promise<Day> {
  const day: Day['day'] = {};
  const now = Date.now();
  let counted = 0;
  let omitted = 0;
  for await (const entry of store.ledger.scan({ since: now - DAY_MS, ...(client && { client }) })) {
    if (counted >= MAX_COUNTED || Date.now() > now + MAX_COUNT_MS) return { day, omitted, partial: true };
    counted += 1;
    if (entry.deliveries.some(({ notes }) => notes.some(isOmission))) omitted += 1;
    for (const state of statesOf(entry)) day[state] = (day[state] ?? 0) + 1;
  }
  return { day, omitted, partial: false };
}
