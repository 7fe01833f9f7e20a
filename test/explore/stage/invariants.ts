/** What has to hold: `checkMoment` after each step that changed something, `checkEnd` once everything has come to rest. */
import type { LedgerEntry } from '../../../packages/queue/src/index.ts';
import { isPaused, jobId, memberOf } from '../../../packages/queue/src/index.ts';
import type { CrmRecords, Observed } from './observe.ts';
import type { PlannedCall } from './workload.ts';

/** What the outside world was promised so far. */
export interface Promised {
  calls: readonly PlannedCall[];
  /** Revisions by call id that were acknowledged as kept. */
  acknowledged: Map<string, Set<string>>;
  /** `on` and `off` once a command of an operator has been carried out and none has been begun since. */
  operatorPause: 'on' | 'off' | 'open';
  /** Leases may run out under their holders. */
  stalls: boolean;
}

const SOURCE = 'main';

/** Promises 1, 6 and 8. @returns what is broken, a line each */
export function checkMoment(seen: Observed, promised: Promised): string[] {
  return [...checkKept(seen, promised), ...checkIndex(seen), ...checkOnTheWay(seen), ...checkOwner(seen, promised)];
}

/** Acknowledged is kept. */
function checkKept({ calls }: Observed, { acknowledged }: Promised): string[] {
  return [...acknowledged].flatMap(([id, revisions]) => {
    const entry = calls.find(({ call_id }) => call_id === id);
    if (!entry) return [`kept: ${id} was acknowledged and is not in the ledger`];
    const lost = [...revisions].filter((hash) => !entry.revisions.some((one) => one.hash === hash));
    return lost.map((hash) => `kept: ${id} was acknowledged as ${hash.slice(0, 8)}, which is not in the ledger`);
  });
}

/** The index of what is parked or dead says what the ledger says. */
function checkIndex({ calls, unresolved }: Observed): string[] {
  const expected = new Set<string>();
  for (const { source, call_id, deliveries, stopped } of calls) {
    const add = (state: string, route: string, connection: string, code: string | undefined) => {
      if (state !== 'parked' && state !== 'dead') return;
      expected.add([state, source, route, connection, code ?? state, call_id].join('|'));
    };
    for (const { state, route, connection, code } of deliveries) add(state, route, connection, code);
    if (stopped) add(stopped.state ?? 'dead', '', '', stopped.code);
  }
  const counted = new Set(unresolved);
  return [
    ...[...expected].filter((item) => !counted.has(item)).map((item) => `index: ${item} is not counted`),
    ...[...counted].filter((item) => !expected.has(item)).map((item) => `index: ${item} is counted and is not so`),
  ];
}

/** What is on its way has a job, or the sweep will look at it. */
function checkOnTheWay({ calls, open, jobs }: Observed): string[] {
  return calls.flatMap((entry) => {
    const { source, call_id, revisions, deliveries, stopped } = entry;
    if (open.has(memberOf(source, call_id))) return [];
    const unread = stopped ? [] : revisions.filter(({ effect }) => !effect);
    return [
      ...unread
        .filter(({ hash }) => !jobs.has(jobId('c', source, call_id, hash)))
        .map(({ hash }) => `hidden: revision ${hash.slice(0, 8)} of ${call_id} is unread and has no job`),
      ...deliveries
        .filter(({ state }) => state === 'queued')
        // Until the call's own job has ended, it adds that of the delivery when it is done again.
        .filter(
          ({ route, revision, replays }) =>
            !jobs.has(jobId('d', source, call_id, route, revision, replays)) &&
            !jobs.has(jobId('c', source, call_id, revision)),
        )
        .map(({ route }) => `hidden: ${route} of ${call_id} is on its way and has no job: ${JSON.stringify(entry)}`),
    ];
  });
}

/** Only an operator lifts an operator's pause. */
function checkOwner({ connection }: Observed, { operatorPause }: Promised): string[] {
  const is = connection.operator !== undefined;
  if (operatorPause === 'on' && !is) return ['owner: the operator’s pause is gone, and no operator has lifted it'];
  if (operatorPause === 'off' && is) return ['owner: the connection is paused for an operator who has lifted that'];
  return [];
}

/** Whether nothing of a call is on its way. */
export function isSettled({ routed, revisions, deliveries, stopped }: LedgerEntry): boolean {
  if (deliveries.some(({ state }) => state === 'queued')) return false;
  return stopped !== undefined || (routed && revisions.every(({ effect }) => effect));
}

/** Whether the queue stands still as the state of its connection says. Workers compare the two once a minute. */
export function isQueueRight({ connection, isQueuePaused }: Observed): boolean {
  const circuit = connection.circuit ? 'open' : 'closed';
  return isPaused({ circuit, ...(connection.operator ? { operator: { since: 0 } } : {}) }) === isQueuePaused;
}

/** Promises 2, 6, 7 and 8, once nothing moves any more. */
export function checkEnd(seen: Observed, crm: CrmRecords, promised: Promised): string[] {
  const broken: string[] = [];
  for (const entry of seen.calls) {
    const { call_id, deliveries } = entry;
    broken.push(...checkStates(entry));
    if (!isSettled(entry)) broken.push(`rest: ${call_id} is still on its way: ${JSON.stringify(entry)}`);
    const logs = crm.calls.filter(({ wrapup_call_id }) => wrapup_call_id === `${SOURCE}:${call_id}`).length;
    if (logs > 1) broken.push(`once: ${call_id} has ${logs} call logs`);
    if (logs === 0 && deliveries.some(({ state }) => state === 'written'))
      broken.push(`once: ${call_id} is written and has no call log`);
  }
  for (const id of seen.jobs) broken.push(`rest: job ${id} is still there`);
  for (const phone of new Set(promised.calls.map(({ phone }) => phone))) {
    const people = crm.contacts.filter((contact) => contact.phone === phone);
    if (people.length > 1) broken.push(`once: ${people.length} people have the number ${phone}`);
    // A holder that stands still beyond the end of its lease writes late, which no CRM can see.
    if (promised.stalls) continue;
    broken.push(
      ...checkNewest(
        seen,
        people[0],
        promised.calls.filter((call) => call.phone === phone),
      ),
    );
  }
  if (!isQueueRight(seen))
    broken.push(
      `owner: the queue is ${seen.isQueuePaused ? '' : 'not '}paused, and the connection’s state says otherwise`,
    );
  return broken;
}

/** Why a delivery may wait for a person at the end: of the workload nothing else calls for one. */
const WAITS_FOR_A_PERSON = new Set(['contradiction', 'revision']);

/** What went wrong on the way was to be repaired by trying again: nothing is given up, and nothing waits without a cause. */
function checkStates({ call_id, deliveries, stopped }: LedgerEntry): string[] {
  const wrong = deliveries.filter(
    ({ state, code = '' }) => state === 'dead' || (state === 'parked' && !WAITS_FOR_A_PERSON.has(code)),
  );
  return [
    ...wrong.map(({ state, code, reason }) => `given up: ${call_id} is ${state}: ${code}: ${reason}`),
    ...(stopped ? [`given up: ${call_id} is stopped: ${stopped.code}: ${stopped.reason}`] : []),
  ];
}

/** The person says what the call says that ended last of those that were written, or a later one that was begun. */
function checkNewest(
  { calls }: Observed,
  person: Record<string, string | null> | undefined,
  theirs: readonly PlannedCall[],
) {
  const isWritten = ({ id }: PlannedCall) =>
    calls.find(({ call_id }) => call_id === id)?.deliveries.some(({ state }) => state === 'written') === true;
  const written = theirs.filter(isWritten);
  if (written.length === 0) return [];
  const newest = Math.max(...written.map(({ ended_at }) => ended_at));
  const said = theirs.find(({ title }) => title === person?.jobtitle);
  if (said && said.ended_at >= newest) return [];
  const by = written.find(({ ended_at }) => ended_at === newest)?.id;
  return [`newer: the person says ${JSON.stringify(person?.jobtitle)}, and ${by}, written, ended later`];
}

/** What was asked and is broken, without what differs between two runs that break the same. */
export function kindOf(violation: string): string {
  return violation.slice(0, violation.indexOf(':'));
}
