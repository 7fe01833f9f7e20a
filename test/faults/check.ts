/**
 * The invariant, checked against the sandbox's own record of effects and not against what Wrapup believes: every
 * acknowledged call ends in exactly one call log, or in a parked or dead entry that is there to be seen; none is there
 * twice, and none is nowhere.
 */
import type { LedgerEntry } from '../../packages/queue/src/index.ts';
import { type FaultSystem, pause } from './system.ts';
import type { SentCall } from './workload.ts';

export interface Verdict {
  calls: number;
  acknowledged: number;
  /** Acknowledged calls with one call log. */
  written: number;
  /** Acknowledged calls without one, that are to be seen. */
  parked: number;
  dead: number;
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
    moving = moving.filter((_, n) => isMoving(entries[n]));
    if (moving.length === 0 || Date.now() > until) return moving;
    await pause(250);
  }
}

function isMoving(entry: LedgerEntry | undefined): boolean {
  if (!entry) return true;
  if (entry.stopped) return false;
  return (
    !entry.routed ||
    entry.revisions.some(({ effect }) => !effect) ||
    entry.deliveries.some(({ state }) => state === 'queued')
  );
}

export async function checkRun(system: FaultSystem, sent: readonly SentCall[], moving: string[]): Promise<Verdict> {
  const { sandbox, store } = system;
  const logs = countBy(sandbox.records('calls'), (properties) => properties.wrapup_call_id);
  const tasks = countBy(sandbox.records('tasks'), (properties) => properties.wrapup_key);
  const people = countBy(sandbox.records('contacts'), ({ phone, mobilephone }) => phone ?? mobilephone);
  const created = createdCalls(system);
  const callers = callersOfLogs(system);
  const [parked, dead] = (await Promise.all(
    (['parked', 'dead'] as const).map(
      async (state) => new Set((await store.operations.list(state, 10_000)).map(({ call_id }) => call_id)),
    ),
  )) as [Set<string>, Set<string>];

  const verdict: Verdict = { calls: sent.length, acknowledged: 0, written: 0, parked: 0, dead: 0, broken: [] };
  const broken = (call: SentCall, what: string) => verdict.broken.push(`${call.id}: ${what}`);
  for (const call of sent) {
    const key = `main:${call.id}`;
    const count = logs.get(key) ?? 0;
    if (count > 1) broken(call, `${count} call logs`);
    if ((created.get(key) ?? 0) > 1) broken(call, `its call log was created ${created.get(key)} times`);
    for (const [task, times] of tasks)
      if (task.startsWith(`${key}:`) && times > 1) broken(call, `task ${task} ${times} times`);
    if ((people.get(call.phone) ?? 0) > 1) broken(call, `its caller is there ${people.get(call.phone)} times`);
    if (!call.acknowledged) continue;
    verdict.acknowledged += 1;
    if (moving.includes(call.id)) {
      const entry = await store.ledger.read('main', call.id);
      broken(call, `still on its way: ${JSON.stringify(entry ?? 'not in the ledger')}`);
    } else if (count === 1) {
      verdict.written += 1;
      const isWritten = (await store.ledger.read('main', call.id))?.deliveries.every(
        ({ state }) => state === 'written',
      );
      if (isWritten && (people.get(call.phone) ?? 0) !== 1) broken(call, 'written, but its caller is nowhere');
      const with_whom = callers.get(key) ?? [];
      if (isWritten && (with_whom.length !== 1 || with_whom[0] !== call.phone))
        broken(call, `written, and its log is with ${with_whom.length} people, ${with_whom.join(' and ')}`);
      const hasTask = [...tasks.keys()].some((task) => task.startsWith(`${key}:`));
      if (isWritten && hasTask !== call.leavesTask)
        broken(call, `written, ${hasTask ? 'with a task' : 'without its task'}`);
    } else if (count === 0 && parked.has(call.id)) verdict.parked += 1;
    else if (count === 0 && dead.has(call.id)) verdict.dead += 1;
    else if (count === 0) broken(call, 'nowhere');
  }
  return verdict;
}

function countBy(
  records: readonly { properties: Record<string, string | null> }[],
  keyOf: (properties: Record<string, string | null>) => string | null | undefined,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { properties } of records) {
    const key = keyOf(properties);
    if (key) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Numbers of the people with whom each call log is, by its key. */
function callersOfLogs({ sandbox }: FaultSystem): Map<string, string[]> {
  const numbers = new Map(
    sandbox.records('contacts').map(({ id, properties: { phone, mobilephone } }) => [id, phone ?? mobilephone ?? '']),
  );
  return new Map(
    sandbox.records('calls').map(({ properties, associations: { contacts = [] } }) => {
      return [properties.wrapup_call_id ?? '', contacts.map((id) => numbers.get(id) ?? 'someone who is gone')];
    }),
  );
}

/** How often each call log came into being, whatever became of it afterwards. */
function createdCalls({ sandbox }: FaultSystem): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { effect, object, unique } of sandbox.journal()) {
    const key = unique?.wrapup_call_id;
    if (effect === 'created' && object === 'calls' && key) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
