import {
  failWaiting,
  firstOfEachKey,
  type Item,
  type Job,
  nextWave,
  noteResumed,
  withoutNewer,
} from '@wrapup/destination/delivery';
import { COMPANIES, keyedByDomain, writeCompanies } from './companies.ts';
import { nameDispositions } from './dispositions.ts';
import { noteFormer } from './former-links.ts';
import { receiptOf, type Writing } from './items.ts';
import type { Account } from './objects.ts';
import type { RowPolicy } from './rows.ts';
import type { Session } from './session.ts';
import { writeObject } from './write-object.ts';

/** Writes the records of all jobs that have not ended. Never rejects. */
export async function writeRecords(
  session: Session,
  jobs: Job[],
  policy: RowPolicy,
  account: Account | undefined,
): Promise<void> {
  const writing: Writing = { session, policy, account };
  noteResumed(jobs, (record, id) => receiptOf({ record }, id, 'unchanged', account));
  await noteFormer(session, jobs);
  await nameDispositions(session, jobs, policy);
  for (;;) {
    const ready = nextWave(jobs).map(asWritten);
    if (ready.length === 0) break;
    // Companies are shared by many calls and joined by their own writer. The same key of another plan follows by upsert.
    const wave = firstOfEachKey(ready, ({ record }) => record.object === COMPANIES);
    for (const items of Map.groupBy(wave, ({ record }) => record.object).values()) {
      // What another record of the same call ran into ends the call's further records too.
      const wanted = items.filter(({ job }) => !job.outcome);
      if (wanted.length === 0) continue;
      if (wanted[0]?.record.object === COMPANIES) await writeCompanies(writing, wanted);
      else await writeObject(writing, wanted);
    }
  }
  failWaiting(jobs);
}

/** Its fields without `if_newer`; a company under the key that all calls of its domain share. */
function asWritten({ record, ...item }: Item): Item {
  return { ...item, record: keyedByDomain({ ...record, fields: withoutNewer(record.fields) }) };
}
