/**
 * The invariant, checked against the sandbox's own record of effects and not against what Wrapup believes: every
 * acknowledged call ends in exactly one call log of each CRM that it goes to, or in a parked or dead entry that is there to be
 * seen; none is there twice, and none is nowhere.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { LedgerEntry } from '../../packages/queue/src/index.ts';
import { type CrmView, viewHubSpot, viewSalesforce } from './crm-view.ts';
import type { FaultSystem } from './system.ts';
import type { SentCall } from './workload.ts';

export interface Verdict {
  calls: number;
  acknowledged: number;
  /** Acknowledged calls with one call log in each CRM. */
  written: number;
  /** Acknowledged calls without one, that are to be seen. */
  parked: number;
  dead: number;
  /** Acknowledged calls that reconciliation had to bring back. */
  fetched?: number;
  /** What is wrong, one line each. */
  broken: string[];
}

/** Waits until nothing of these calls is on its way. @param within ms, after which the rest is broken */
export async function waitUntilSettled(
  system: FaultSystem,
  sent: readonly SentCall[],
  within: number,
): Promise<string[]> {
  const until = Date.now() + within;
  let moving = sent.filter(({ acknowledged }) => acknowledged).map(({ id }) => id);
  for (;;) {
    const entries = await Promise.all(moving.map((id) => system.store.ledger.read('main', id)));
    const unresolved = entries.some((entry) => stateOfUnresolved(entry)) ? await listUnresolved(system) : undefined;
    moving = moving.filter((id, n) => isMoving(entries[n], (state) => unresolved?.[state].has(id) === true));
    if (moving.length === 0 || Date.now() > until) return moving;
    await pause(250);
  }
}

/** @param isListed whether the call is to be seen among what is parked or dead: the ledger says so first */
function isMoving(entry: LedgerEntry | undefined, isListed: (state: Unresolved) => boolean): boolean {
  if (!entry) return true;
  const state = stateOfUnresolved(entry);
  if (state && !isListed(state)) return true;
  if (entry.stopped) return false;
  return (
    !entry.routed ||
    entry.revisions.some(({ effect }) => !effect) ||
    entry.deliveries.some(({ state }) => state === 'queued')
  );
}

type Unresolved = 'parked' | 'dead';

function stateOfUnresolved(entry: LedgerEntry | undefined): Unresolved | undefined {
  const states = entry?.stopped ? [entry.stopped.state ?? 'dead'] : (entry?.deliveries ?? []).map(({ state }) => state);
  return states.find((state): state is Unresolved => state === 'parked' || state === 'dead');
}

/** Ids of the calls that an operator sees. */
async function listUnresolved({ store }: FaultSystem): Promise<Record<Unresolved, Set<string>>> {
  const idsOf = async (state: Unresolved) =>
    new Set((await store.operations.list(state, 10_000)).map(({ call_id }) => call_id));
  const [parked, dead] = await Promise.all([idsOf('parked'), idsOf('dead')]);
  return { parked, dead };
}

export async function checkRun(system: FaultSystem, sent: readonly SentCall[], moving: string[]): Promise<Verdict> {
  const { store } = system;
  const views = viewCrms(system);
  const { parked, dead } = await listUnresolved(system);

  const verdict: Verdict = { calls: sent.length, acknowledged: 0, written: 0, parked: 0, dead: 0, broken: [] };
  for (const call of sent) {
    const broken = (what: string) => verdict.broken.push(`${call.id}: ${what}`);
    for (const view of views) for (const what of findDoubles(view, call)) broken(`${view.name}: ${what}`);
    if (!call.acknowledged) continue;
    verdict.acknowledged += 1;
    const entry = await store.ledger.read('main', call.id);
    if (system.setup.voice) verdict.fetched = (verdict.fetched ?? 0) + (entry?.received === 'reconciled' ? 1 : 0);
    if (moving.includes(call.id)) {
      broken(`still on its way: ${JSON.stringify(entry ?? 'not in the ledger')}`);
      continue;
    }
    const missing = views.filter(({ logs }) => !logs.has(keyOf(call)));
    if (missing.length === 0) verdict.written += 1;
    else if (parked.has(call.id)) verdict.parked += 1;
    else if (dead.has(call.id)) verdict.dead += 1;
    else broken(`nowhere in ${missing.map(({ name }) => name).join(' and ')}`);
    if (missing.length === 0 && entry?.deliveries.every(({ state }) => state === 'written'))
      for (const view of views) for (const what of findGaps(view, call)) broken(`${view.name}: written, ${what}`);
  }
  return verdict;
}

/** What of these calls is there more than once, one line each. */
export function checkDoubles(system: FaultSystem, sent: readonly Pick<SentCall, 'id' | 'phone'>[]): string[] {
  const views = viewCrms(system);
  return sent.flatMap((call) =>
    views.flatMap((view) => findDoubles(view, call).map((what) => `${call.id}: ${view.name}: ${what}`)),
  );
}

export function viewCrms({ sandbox, setup }: FaultSystem): CrmView[] {
  return [viewHubSpot(sandbox), ...(setup.bothCrms ? [viewSalesforce(sandbox)] : [])];
}

const keyOf = ({ id }: Pick<SentCall, 'id'>) => `main:${id}`;

function findDoubles({ logs, created, tasks, people }: CrmView, call: Pick<SentCall, 'id' | 'phone'>): string[] {
  const key = keyOf(call);
  const doubles: string[] = [];
  const look = (times: number | undefined, what: string) => {
    if ((times ?? 0) > 1) doubles.push(`${what} ${times} times`);
  };
  look(logs.get(key), 'its call log is there');
  look(created.get(key), 'its call log was created');
  for (const [task, times] of tasks) if (task.startsWith(`${key}:`)) look(times, `task ${task} is there`);
  look(people.get(call.phone), 'its caller is there');
  return doubles;
}

/** What is not as the call says, of one that was written. */
function findGaps({ callers, tasks, people, hasCallBacks }: CrmView, call: SentCall): string[] {
  const gaps: string[] = [];
  if ((people.get(call.phone) ?? 0) !== 1) gaps.push('but its caller is nowhere');
  const with_whom = callers.get(keyOf(call)) ?? [];
  if (with_whom.length !== 1 || with_whom[0] !== call.phone)
    gaps.push(`and its log is with ${with_whom.length} people, ${with_whom.join(' and ')}`);
  const hasTask = [...tasks.keys()].some((task) => task.startsWith(`${keyOf(call)}:`));
  if (hasCallBacks && hasTask !== call.leavesTask) gaps.push(hasTask ? 'with a task' : 'without its task');
  return gaps;
}
