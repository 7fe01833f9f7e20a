import type { CallJob, LedgerEntry, Store } from '@wrapup/queue';
import type { WhyUnread } from '../payloads/read-call.ts';

/** Parks the whole call; its deliveries that are queued go on. */
export async function parkCall(
  job: CallJob,
  why: { code: string; reason: string; hint?: string },
  store: Store,
): Promise<{ job: 'complete'; result: 'parked' }> {
  const { source, call_id } = job;
  const stopped = { ...why, state: 'parked' as const };
  await store.ledger.stop(source, call_id, stopped);
  await store.operations.addUnresolvedCall(job, { at: Date.now(), ...stopped }, 1);
  await store.ledger.close(source, call_id);
  return { job: 'complete', result: 'parked' };
}

/** Parks a call whose body cannot be read yet. What was delivered of the call before stays as it is. */
export async function parkUnrecognised(
  job: CallJob,
  entry: LedgerEntry,
  store: Store,
  why: WhyUnread,
): Promise<{ job: 'complete'; result: 'parked' }> {
  const { source, call_id, revision } = job;
  const before = entry.revisions.find(({ hash }) => hash === revision)?.effect;
  // A rerun only completes what a crash interrupted; a person may have dropped the call meanwhile.
  const stopped = before === 'unrecognised' ? entry.stopped : await store.ledger.parkUnrecognised(job, why);
  if (stopped?.state === 'parked') await store.operations.addUnresolvedCall(entry, stopped, 1);
  await store.payloads.compress(source, call_id, revision);
  const moving = entry.deliveries.some(({ state }) => state === 'queued');
  const unread = entry.revisions.some(({ hash, effect }) => hash !== revision && !effect);
  if (!moving && !unread) await store.ledger.close(source, call_id);
  return { job: 'complete', result: 'parked' };
}
