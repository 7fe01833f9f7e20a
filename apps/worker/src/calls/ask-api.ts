import type { Call } from '@wrapup/call';
import type { Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import type { CallJob, LedgerEntry, Store } from '@wrapup/queue';
import type { Verification } from './verify-call.ts';

/** Reads a call from the API of its source. */
export type Verify = (job: CallJob, entry: LedgerEntry, source: Source, hint: Call) => Promise<Verification>;

/** What the queue has to do with a job that waits for the API, or that a person has to see to. */
export type Unanswered = { job: 'delay'; ms: number; result: 'waits' } | { job: 'complete'; result: 'parked' };

export interface AskApi {
  store: Store;
  source: Source;
  verify: Verify | undefined;
}

/**
 * Reads a call from the API of its source. That it waits for the answer, or has to wait for a person, is noted.
 * @param hint what the webhook says: only for knowing what to wait for
 * @returns the revision that the API's copy is kept under, or what to do with the job instead
 */
export async function askApi(
  job: CallJob,
  entry: LedgerEntry,
  hint: Call,
  { store, source, verify }: AskApi,
): Promise<{ revision: string } | Unanswered> {
  if (!verify) throw new Failure('internal', `This process does not read calls of source ${source.name} from its API.`);
  const verification = await verify(job, entry, source, hint);
  switch (verification.next) {
    case 'accepted':
      return { revision: verification.revision };
    case 'wait':
      await store.ledger.wait(source.name, job.call_id, verification.why, verification.asked);
      return { job: 'delay', ms: verification.ms, result: 'waits' };
    case 'park':
      return park(job, verification.why, store);
  }
}

/** Has the whole call wait for a person; what is on its way of it goes on. */
export async function park(
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
