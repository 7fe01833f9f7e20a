import type { Config } from '@wrapup/config';
import { type CallJob, type LedgerEntry, MAX_REVISION_BYTES, MAX_REVISIONS } from '@wrapup/queue';
import { normalise } from '@wrapup/synthflow';
import { contextOf, isOwnId } from '../payloads/read-call.ts';
import { scheduleExpiry } from '../payloads/retention.ts';
import { alertRevisionLimit } from '../upkeep/alerts.ts';
import { parkCall } from './park-call.ts';
import { type ApiReading, type NotVerified, readFromApi } from './verifier.ts';

/** Wait until the revisions that were kept have been read. */
const READING_WAIT_MS = 5_000;
/** The same while one of them waits itself. */
const BLOCKED_WAIT_MS = 60_000;

const WHY = {
  code: 'revision_limit',
  reason: `More than ${MAX_REVISIONS} revisions, or ${MAX_REVISION_BYTES / 1024 / 1024} MB, came of this call; the rest was ignored.`,
  hint: 'A captured signature looks like this. Compare the record in the CRM with Synthflow; replay to take it off this list, drop it if it is right.',
};

/**
 * Processes the job of a call of which more came than is kept. Only the API can say whether something of that was the truth:
 * it is asked once; where the source has no key, the call is parked.
 */
export async function settleBeyondLimit(
  job: CallJob,
  entry: LedgerEntry,
  config: Config,
  parts: ApiReading,
): Promise<NotVerified | { job: 'complete'; result: 'hint' }> {
  const { store, source } = parts;
  const { call_id } = job;
  if (!entry.ignored || entry.ignored.handled) return { job: 'complete', result: 'hint' };
  await alertRevisionLimit(store, config, entry);
  if (source.api_key !== undefined && isOwnId(call_id)) {
    const answer = await readFromApi(job, entry, normalise({ call_id }, contextOf(source, entry)), parts);
    if ('job' in answer && answer.job === 'delay') return answer;
    await store.ledger.handleIgnored(source.name, call_id);
    return 'job' in answer ? answer : { job: 'complete', result: 'hint' };
  }
  // A revision that is read later would take the call off the list again.
  if (!entry.stopped && entry.revisions.some(({ effect }) => !effect)) {
    return { job: 'delay', ms: entry.waiting ? BLOCKED_WAIT_MS : READING_WAIT_MS, result: 'waits' };
  }
  await store.ledger.handleIgnored(source.name, call_id);
  const parked = await parkCall(job, WHY, store);
  await scheduleExpiry(store, config, source.name, call_id);
  return parked;
}
