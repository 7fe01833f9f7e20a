/** How plans end: outcomes, put together from what the stages reported. Pure. */
import type { RecordReceipt, WriteOutcome } from '../port/destination.ts';
import { Failure } from '../port/failure.ts';
import { type PlanWrite, type Report, wantedRecords } from './plan-write.ts';

/** @param costOf requests that a plan has cost */
export function outcomeOf(write: PlanWrite, reports: Report[], costOf: (plan: number) => number): WriteOutcome {
  const mine = reports.filter(({ plan }) => plan === write.index);
  const receipts = new Map<string, RecordReceipt>();
  for (const report of mine) if ('receipt' in report) receipts.set(report.receipt.name, report.receipt);
  const ended = mine.find((report) => 'failure' in report);
  if (ended) return { ok: false, failure: withDone(ended.failure, receipts, mine) };
  const requests = costOf(write.index);
  const skipped = mine.find((report) => 'skipped' in report);
  if (skipped) return { ok: true, receipt: { records: [], requests, notes: [skipped.skipped] } };
  const names = ['person', ...wantedRecords(write).map(({ name }) => name)];
  const missing = names.slice(1).find((name) => !receipts.has(name));
  if (missing !== undefined)
    return { ok: false, failure: new Failure('internal', `Record ${missing} was not written.`, { next: 'retry' }) };
  const notes = mine.flatMap((report) => ('note' in report ? [report.note] : []));
  const records = names.flatMap((name) => receipts.get(name) ?? []);
  return { ok: true, receipt: { records, requests, notes: [...new Set(notes)] } };
}

/** The failure with what had been written before it: a retry need not repeat that. */
function withDone(failure: Failure, receipts: ReadonlyMap<string, RecordReceipt>, reports: Report[]): Failure {
  // A person to whom nothing could be linked, or whom only speech named, is looked up afresh next time.
  const anew = failure.code === 'gone' || reports.some((report) => 'receipt' in report && report.limited);
  const done = [...receipts].filter(([name]) => name !== 'person' || !anew).map(([name, { id }]) => [name, id]);
  return done.length > 0 ? failure.with({ done: Object.fromEntries(done) }) : failure;
}
