/** Records of many plans, in waves: each writes what depends only on records that are written already. */
import type { RecordPlan } from '@wrapup/mapping';
import type { RecordReceipt } from '../destination.ts';
import { doneBefore, type Job } from './job.ts';
import { wantedRecords } from './outcome.ts';

/** Something that a record is linked to. */
export interface Target {
  /** Record name: `person`, `call_log`. */
  name: string;
  object: string;
  id: string;
  /** Account of a person, where it is known. */
  account?: string;
}

/** A record of one job that can be written now. */
export interface Item {
  job: Job;
  record: RecordPlan;
  targets: Target[];
}

/** What an earlier attempt is known to have written is not repeated. */
export function noteResumed(jobs: Job[], receiptOf: (record: RecordPlan, id: string) => RecordReceipt): void {
  for (const job of jobs.filter(({ outcome }) => !outcome))
    for (const record of wantedRecords(job)) {
      const id = doneBefore(job, record.name);
      if (id !== undefined) job.records.set(record.name, receiptOf(record, id));
    }
}

/** The next wave: records of open jobs that are not written, and all of whose targets are. Empty at the end. */
export function nextWave(jobs: Job[]): Item[] {
  return jobs
    .filter(({ outcome }) => !outcome)
    .flatMap((job) =>
      wantedRecords(job).flatMap((record) => {
        const targets = job.records.has(record.name) ? undefined : targetsOf(job, record);
        return targets ? [{ job, record, targets }] : [];
      }),
    );
}

/** Records to link to; undefined while one of them is not written. */
function targetsOf(job: Job, record: RecordPlan): Target[] | undefined {
  if (job.log_only) return [];
  const targets: Target[] = [];
  for (const name of record.associate) {
    const other = job.records.get(name);
    if (name !== 'person') {
      if (!other) return undefined;
      targets.push({ name, object: other.object, id: other.id });
    } else if (other && job.person !== undefined) {
      const { account } = job;
      targets.push({ name, object: other.object, id: job.person, ...(account ? { account } : {}) });
    }
  }
  return targets;
}

/**
 * A key may stand once in a batch; the same record of another plan follows in the next wave.
 * @param joined true for items whose writer joins equal keys by itself
 */
export function firstOfEachKey(items: Item[], joined: (item: Item) => boolean = () => false): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const name = `${item.record.object} ${item.record.key}`;
    if (seen.has(name) && !joined(item)) return false;
    seen.add(name);
    return true;
  });
}
