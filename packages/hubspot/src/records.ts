import { doneBefore, failWaiting, type Job, wantedRecords } from '@wrapup/destination/delivery';
import type { RecordPlan } from '@wrapup/mapping';
import { COMPANIES, keyedByDomain, writeCompanies } from './companies.ts';
import { nameDispositions } from './dispositions.ts';
import { noteFormer } from './former-links.ts';
import { type Item, receiptOf, type Writing, withoutNewer } from './items.ts';
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
  for (const job of jobs) noteResumed(job, account);
  await noteFormer(session, jobs);
  await nameDispositions(session, jobs, policy);
  // Each wave writes what depends only on records that are written already.
  for (;;) {
    const ready = jobs.filter((job) => !job.outcome).flatMap((job) => nextItems(job));
    if (ready.length === 0) break;
    for (const items of byObject(firstOfEachKey(ready)).values()) {
      // What another record of the same call ran into ends the call's further records too.
      const wanted = items.filter(({ job }) => !job.outcome);
      if (wanted.length === 0) continue;
      if (wanted[0]?.record.object === COMPANIES) await writeCompanies(writing, wanted);
      else await writeObject(writing, wanted);
    }
  }
  failWaiting(jobs);
}

/** What an earlier attempt is known to have written is not repeated. */
function noteResumed(job: Job, account: Account | undefined): void {
  for (const record of wantedRecords(job)) {
    const id = doneBefore(job, record.name);
    if (id !== undefined && !job.outcome) job.records.set(record.name, receiptOf({ record }, id, 'unchanged', account));
  }
}

function nextItems(job: Job): Item[] {
  const items: Item[] = [];
  for (const record of wantedRecords(job)) {
    if (job.records.has(record.name)) continue;
    const targets = targetsOf(job, record);
    if (targets) items.push({ job, record: keyedByDomain(withoutNewer(record)), targets });
  }
  return items;
}

/** Records to link to; undefined while one of them is not written. */
function targetsOf(job: Job, record: RecordPlan): Item['targets'] | undefined {
  if (job.log_only) return [];
  const targets: Item['targets'] = [];
  for (const name of record.associate) {
    if (name === 'person') {
      if (job.person !== undefined) targets.push({ object: 'contacts', id: job.person });
      continue;
    }
    const other = job.records.get(name);
    if (!other) return undefined;
    targets.push({ object: other.object, id: other.id });
  }
  return targets;
}

/**
 * A key may stand once in a batch; the same record of another plan follows in the next wave, by upsert. Companies are
 * shared by many calls and joined by their own writer.
 */
function firstOfEachKey(items: Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ record }) => {
    if (record.object === COMPANIES) return true;
    const name = `${record.object} ${record.key}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

function byObject(items: Item[]): Map<string, Item[]> {
  return Map.groupBy(items, (item) => item.record.object);
}
