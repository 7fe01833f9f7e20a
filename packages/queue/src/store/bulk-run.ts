/**
 * Replays or drops everything that a filter names, however many, or decides it for one person. A run is noted in Redis after
 * every step, with what it has done and where it goes on, so that one that was interrupted or killed is taken up where it
 * stopped.
 *
 * It means what was there when it began: what stops later, also what the run itself replays and what stops again, is not
 * among it. What is done leaves the list; the cursor keeps what cannot be done from being tried for ever.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientOf } from '@wrapup/call';
import type { AuditedOperator } from '../audit/audit-entry.ts';
import type { ChoiceRefused, Operations, Replayed } from '../queues/operations.ts';
import { RedisLease } from '../redis/lease.ts';
import type { UnresolvedItem, UnresolvedPage } from '../unresolved/unresolved.ts';
import { isSearch, type UnresolvedFilter, type UnresolvedState } from '../unresolved/unresolved-filter.ts';
import type { Store } from './store.ts';

/** `choose` decides ambiguous callers of one number or address for the same person. */
export type BulkAction = 'replay' | 'drop' | 'choose';

/** What became of one item. */
export type BulkResult = 'dropped' | Replayed | ChoiceRefused;

/** An item that was left where it is, and why. */
export interface LeftItem extends Pick<UnresolvedItem, 'source' | 'call_id' | 'route'> {
  why: Exclude<BulkResult, 'replayed' | 'dropped'>;
}

export interface BulkRun {
  /** Names it to a person who wants to go on with it. */
  id: string;
  state: UnresolvedState;
  action: BulkAction;
  /** With `until`, the moment that it means. */
  filter: UnresolvedFilter & { until: number };
  /** Why they are dropped, and name of who began it; both stay in the ledger. */
  why?: string;
  by?: string;
  /** For a choice: the call that it was made on, the person, and whether it holds for later calls, too. */
  choice?: { source: string; call_id: string; person: string; remember?: boolean };
  /** Epoch ms. */
  started: number;
  /** Epoch ms of the last step. */
  moved_at: number;
  /** Items that it covers; with a text or a digest in the filter, items that are searched for it. */
  of: number;
  /** Items that matched so far, and what became of them. */
  matched: number;
  done: number;
  /** Left where they are: no payload is left to replay. */
  expired: number;
  /** Resolved by another process meanwhile. */
  moved: number;
  /** Left where they are, as the person is none of their candidates; absent where there is none. */
  refused?: number;
  /** Those that were left, the first of them. */
  left?: LeftItem[];
  /** Place after which it goes on. */
  cursor?: string;
  /** A process has been at it. */
  begun?: boolean;
  /** Epoch ms; absent until it has come to its end. */
  ended?: number;
}

interface BulkOptions {
  /** For a replay: attempts of a delivery on a route. */
  attempts(route: string): number;
  /** Hash of the configuration that a replay is asked for with. */
  config?: string | undefined;
  /** Who begins or resumes it, for the audit. */
  by?: AuditedOperator | undefined;
  /** Ends it after the step in hand. */
  signal?: AbortSignal;
  /** Called with what became of each item. */
  onItem?(item: UnresolvedItem, result: BulkResult): void;
  /** Called after each step, with how many items of `of` it has passed. */
  onProgress?(run: Readonly<BulkRun>, behind: number): void;
}

/** Steps in a row that may fail, and the wait after the first; each further one is longer by as much. */
const MAX_FAILURES = 5;
const PAUSE_MS = 1_000;
/** Items of one step, of which so many are under way to Redis at once. */
const STEP_SIZE = 200;
const AT_ONCE = 50;
/** Runs that are remembered, and for how many seconds after the last step of any. */
const MAX_RUNS = 20;
const KEPT_S = 7 * 24 * 3600;
/** Items that were left of which a run says which they are. */
const MAX_LEFT = 50;
const LEASE_MS = 15_000;

/** Another process is at the same run. */
export class RunIsTaken extends Error {
  override name = 'RunIsTaken';
}

/** Notes a run of everything that the filter names and that has stopped by `filter.until`, default now. */
export async function startBulk(
  store: Store,
  {
    state,
    action,
    filter,
    why,
    by,
    choice,
  }: Pick<BulkRun, 'state' | 'action' | 'why' | 'choice'> & {
    by?: AuditedOperator | undefined;
    filter: UnresolvedFilter;
  },
): Promise<BulkRun> {
  const now = Date.now();
  const whole = { ...filter, until: Math.min(filter.until ?? now, now) };
  const run: BulkRun = {
    ...{ id: randomBytes(4).toString('hex'), state, action, filter: whole },
    ...(why === undefined ? {} : { why }),
    ...(by === undefined ? {} : { by: by.name }),
    ...(choice === undefined ? {} : { choice }),
    ...{ started: now, moved_at: now, of: await store.unresolved.count(state, whole) },
    ...{ matched: 0, done: 0, expired: 0, moved: 0 },
  };
  await note(store, run, { by, step: 'begun' });
  const runs = await listBulk(store);
  const old = runs.slice(MAX_RUNS).map(({ id }) => id);
  if (old.length > 0) await store.redis.hdel(store.keys.bulkRuns, ...old);
  return run;
}

/** A delivery that waits for a person to say which of several people it is about. */
type AmbiguousDelivery = Pick<UnresolvedItem, 'source' | 'call_id'> & { route: string };

/**
 * Which others are parked for the same reason as an ambiguous delivery: several people have their number or address, and it is
 * the same one, on the same route and connection. The delivery itself is among them.
 * @returns undefined where it is not ambiguous any more, or what its candidates have in common was only said
 */
export async function filterAlike(
  { ledger }: Pick<Store, 'ledger'>,
  { source, call_id, route }: AmbiguousDelivery,
): Promise<{ filter: UnresolvedFilter; candidates: string[] } | undefined> {
  const { deliveries = [] } = (await ledger.read(source, call_id)) ?? {};
  const delivery = deliveries.find((one) => one.route === route);
  if (delivery?.state !== 'parked' || delivery.code !== 'ambiguous_person' || !delivery.ambiguous) return undefined;
  const { connection, ambiguous, candidates = [] } = delivery;
  const place = { client: clientOf(connection), route, connection, codes: [delivery.code] };
  return { filter: { ...place, digest: ambiguous.digest }, candidates };
}

/**
 * Notes a run that decides an ambiguous delivery, and all that are alike, for one person.
 * @returns `moved` where it is not ambiguous any more, or why the choice is refused: there is no run then
 */
export async function startAlike(
  store: Store,
  delivery: AmbiguousDelivery,
  { person, by, remember }: { person: string; by: AuditedOperator; remember: boolean },
): Promise<BulkRun | 'moved' | ChoiceRefused> {
  const alike = await filterAlike(store, delivery);
  if (!alike) return 'moved';
  if (!alike.candidates.includes(person)) return 'no_candidate';
  const { source, call_id } = delivery;
  const choice = { source, call_id, person, ...(remember ? { remember } : {}) };
  return startBulk(store, { state: 'parked', action: 'choose', filter: alike.filter, choice, by });
}

/** The latest runs, newest first. */
export async function listBulk({ redis, keys }: Pick<Store, 'redis' | 'keys'>): Promise<BulkRun[]> {
  const runs = (await redis.hvals(keys.bulkRuns)).map((json) => JSON.parse(json) as BulkRun);
  return runs.sort((a, b) => b.started - a.started);
}

export async function readBulk(
  { redis, keys }: Pick<Store, 'redis' | 'keys'>,
  id: string,
): Promise<BulkRun | undefined> {
  const json = await redis.hget(keys.bulkRuns, id);
  return json ? (JSON.parse(json) as BulkRun) : undefined;
}

/**
 * Carries a run on to its end, or until the signal.
 * @throws RunIsTaken when another process is at it
 */
export async function runBulk(store: Store, id: string, options: BulkOptions): Promise<BulkRun> {
  const held = await new RedisLease(store.redis, store.keys).take([`bulk:${id}`], LEASE_MS);
  if (!held) throw new RunIsTaken(`Another process is at run ${id}.`);
  try {
    const run = await readBulk(store, id);
    if (!run) throw new Error(`There is no run ${id}.`);
    return run.ended === undefined ? await carryOn(store, run, options) : run;
  } finally {
    await held.release().catch(() => {});
  }
}

async function carryOn(store: Store, begun: BulkRun, options: BulkOptions): Promise<BulkRun> {
  let run: BulkRun = { ...(begun.begun ? await recount(store, begun) : begun), begun: true };
  const { by } = options;
  await note(store, run, begun.begun ? { by, step: 'resumed' } : {});
  await report(store, run, options);
  for (let failures = 0; run.ended === undefined && !options.signal?.aborted; ) {
    const step = await takeStep(store, run, options);
    run = step.run;
    if (step.error === undefined) {
      failures = 0;
      await note(store, run, run.ended === undefined ? {} : { by, step: 'ended' });
      await report(store, run, options);
      continue;
    }
    // Redis was busy or away: what is left of the step is read again.
    failures += 1;
    if (failures > MAX_FAILURES) throw step.error;
    await sleep(PAUSE_MS * failures, undefined, { signal: options.signal }).catch(() => {});
    run = await recount(store, run).catch(() => run);
  }
  return run;
}

/** Does the next step, and moves the cursor behind it unless an item failed. */
async function takeStep(
  store: Store,
  begun: BulkRun,
  options: BulkOptions,
): Promise<{ run: BulkRun; error?: unknown }> {
  const { state, filter, cursor } = begun;
  let run = begun;
  let page: UnresolvedPage;
  try {
    page = await store.unresolved.page(state, filter, { limit: STEP_SIZE, after: cursor });
  } catch (error) {
    return { run, error };
  }
  const { items, next } = page;
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const some = items.slice(start, start + AT_ONCE);
    const settled = await Promise.allSettled(some.map((item) => act(store, run, item, options)));
    for (const [index, one] of settled.entries()) {
      if (one.status === 'rejected') continue;
      const item = some[index] as UnresolvedItem;
      options.onItem?.(item, one.value);
      run = count(run, item, one.value);
    }
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed) return { run, error: failed.reason };
  }
  const now = Date.now();
  if (next !== undefined) return { run: { ...run, moved_at: now, cursor: next } };
  // What left the list before its turn came was resolved by another process.
  const moved = isSearch(filter) ? run.moved : Math.max(0, run.of - run.done - run.expired - (run.refused ?? 0));
  // Whose calls it was about is not kept for longer than it takes.
  const { digest: _, ...kept } = filter;
  return { run: { ...run, filter: kept, moved, moved_at: now, ended: now } };
}

function count(run: BulkRun, { source, call_id, route }: UnresolvedItem, why: BulkResult): BulkRun {
  const matched = run.matched + 1;
  if (why === 'replayed' || why === 'dropped') return { ...run, matched, done: run.done + 1 };
  const { left = [] } = run;
  const kept = left.length < MAX_LEFT ? [...left, { source, call_id, route, why }] : left;
  const field = why === 'moved' || why === 'expired' ? why : 'refused';
  return { ...run, matched, left: kept, [field]: (run[field] ?? 0) + 1 };
}

/** Of how many items a run is or was: of a search those that it has found so far. */
export function itemsOfRun({ action, filter, of, matched }: BulkRun): number {
  return action === 'choose' || isSearch(filter) ? matched : of;
}

/** Adds what a step did that was interrupted: it has left the list without being counted. */
async function recount(store: Store, run: BulkRun): Promise<BulkRun> {
  if (isSearch(run.filter)) return run;
  const uncounted = Math.min(STEP_SIZE, Math.max(0, run.of - (await countAhead(store, run)) - run.matched));
  return { ...run, matched: run.matched + uncounted, done: run.done + uncounted };
}

async function report(store: Store, run: BulkRun, { onProgress }: BulkOptions): Promise<void> {
  if (!onProgress) return;
  const behind = isSearch(run.filter) ? run.of - (await countAhead(store, run)) : run.matched;
  onProgress(run, Math.min(behind, run.of));
}

/** Items that the run has not come to yet; text and digest of its filter are ignored. */
async function countAhead(store: Store, { state, filter, cursor, ended }: BulkRun): Promise<number> {
  if (ended !== undefined) return 0;
  return store.unresolved.countAfter(state, filter, cursor);
}

async function act(
  store: Store,
  { state, action, why = '', by, choice }: BulkRun,
  item: UnresolvedItem,
  options: BulkOptions,
): Promise<BulkResult> {
  // The run has entries of its own.
  const asked = { run: true as const, ...(by === undefined ? {} : { by: { name: by } }) };
  if (action === 'replay') return replayUnresolved(store, state, item, { ...options, ...asked });
  if (action === 'choose') {
    const { source, call_id, route } = item;
    if (route === null || !choice) return 'moved';
    const isFirst = source === choice.source && call_id === choice.call_id;
    const remember = choice.remember === true && isFirst;
    const decided = { person: choice.person, by: { name: by ?? '' }, remember, run: true as const };
    const how = { attempts: options.attempts(route), config: options.config };
    return store.operations.choose(source, call_id, route, decided, how);
  }
  return (await dropUnresolved(store, item, { reason: why, ...asked })) ? 'dropped' : 'moved';
}

/** Keeps where a run stands, and in the same transaction what the audit says of it. */
async function note(
  { redis, keys, audit }: Store,
  run: BulkRun,
  { by, step }: { by?: AuditedOperator | undefined; step?: 'begun' | 'resumed' | 'ended' } = {},
): Promise<void> {
  // A filter may hold what an operator typed.
  const changes = redis.multi().hset(keys.bulkRuns, run.id, JSON.stringify(run)).expire(keys.bulkRuns, KEPT_S);
  if (step !== undefined) {
    const { id, state, action, filter, done, expired, why, choice } = run;
    const { person: record, remember, ...call } = choice ?? {};
    audit.noteIn(changes, by, {
      ...{ action: step === 'resumed' ? 'resume run' : (`${action} many` as const), run: id, of_state: state, filter },
      of: step === 'ended' ? itemsOfRun(run) : run.of,
      ...(record === undefined ? {} : { ...call, record, ...(remember ? { lasting: true as const } : {}) }),
      ...(step === 'resumed' ? {} : { step }),
      ...(step === 'ended' ? { done, expired } : {}),
      ...(why === undefined ? {} : { reason: why }),
    });
  }
  for (const [error] of (await changes.exec()) ?? []) if (error) throw error;
}

/** Replays one item. */
export async function replayUnresolved(
  { operations }: Pick<Store, 'operations'>,
  state: UnresolvedState,
  { source, call_id, route }: Pick<UnresolvedItem, 'source' | 'call_id' | 'route'>,
  { attempts, config, by, run }: Pick<BulkOptions, 'attempts' | 'config' | 'by'> & { run?: true },
): Promise<Replayed> {
  if (route === null) return (await operations.replayCall(source, call_id, { config, by, run })) ? 'replayed' : 'moved';
  return operations.replay(source, call_id, route, { attempts: attempts(route), from: [state], config, by, run });
}

/** Gives one of them up; who did and why stay in the ledger. False when it has moved on meanwhile. */
export async function dropUnresolved(
  { operations }: Pick<Store, 'operations'>,
  { source, call_id, route }: Pick<UnresolvedItem, 'source' | 'call_id' | 'route'>,
  why: Parameters<Operations['dropCall']>[2],
): Promise<boolean> {
  if (route === null) return operations.dropCall(source, call_id, why);
  return (await operations.drop(source, call_id, route, why)) !== undefined;
}
