import type { PlanWrite } from '../engine/plan-write.ts';
import type { RecordVerbs } from '../engine/records/record-verbs.ts';
import { writeRecords } from '../engine/records/write-records.ts';
import { failJob, type Job } from './job.ts';

/** Writes the records of all jobs that have not ended. Never rejects. */
export async function writeJobRecords(crm: RecordVerbs, jobs: Job[]): Promise<void> {
  const open = new Map(jobs.filter(({ outcome }) => !outcome).map((job) => [job.index, job]));
  const writes = [...open.values()].map((job): PlanWrite => {
    const { index, plan, ended_at, log_only, account } = job;
    const object = job.records.get('person')?.object;
    const person =
      job.person === undefined || object === undefined
        ? undefined
        : { id: job.person, object, ...(account ? { account } : {}) };
    return { index, plan, ended_at, log_only, ...(person ? { person } : {}) };
  });
  const reports = await writeRecords(crm, writes);
  for (const report of reports) {
    const job = open.get(report.plan);
    if (job && 'receipt' in report) job.records.set(report.receipt.name, report.receipt);
    if (job && 'note' in report) job.notes.push(report.note);
  }
  for (const report of reports) {
    const job = open.get(report.plan);
    if (job && 'failure' in report) failJob(job, report.failure, report.record);
  }
}
