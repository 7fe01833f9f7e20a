/**
 * Takes records off the person whom an earlier write linked them to, when a replay finds another: one call log belongs
 * to one person. Who was merged into the person found now is that person, and keeps the link. What an earlier write said
 * on the former contact itself stays; the receipt says so.
 */
import { chunk, failJob, type Job } from '@wrapup/destination/delivery';
import { unlinkRecords } from './client/api.ts';
import { asHubSpotFailure } from './errors/classify.ts';
import type { Written } from './links.ts';
import { readMany } from './read-many.ts';
import { recallFormer, rememberFormer } from './remembered.ts';
import type { Session } from './session.ts';

/** HubSpot's limit for taking links off. */
const UNLINK_BATCH = 100;

/** Notes whom the jobs' records were linked to before, so that an attempt that fails halfway does not forget it. */
export async function noteFormer(session: Session, jobs: Job[]): Promise<void> {
  for (const job of jobs) {
    const known = job.plan.resume?.records.person;
    // Nobody found now is no reason to take the records off whoever was found before.
    if (known === undefined || job.person === undefined || known === job.person) continue;
    if (job.outcome || !/^\d+$/.test(known)) continue;
    try {
      await rememberFormer(session.ctx, job.plan.key, known);
    } catch (thrown) {
      failJob(job, asHubSpotFailure(thrown), 'person');
    }
  }
}

interface Move {
  item: Written['item'];
  id: string;
  former: string;
}

/** Ends the jobs whose records could not be taken off. Never rejects. */
export async function unlinkFormer(session: Session, written: Written[]): Promise<void> {
  const moves: Move[] = [];
  for (const { item, receipt } of written) {
    const { job, record } = item;
    if (job.outcome || !job.plan.resume || !job.person || !record.associate.includes('person')) continue;
    // A company is more people's than ours: who made the link is not known.
    if (record.object === 'companies') continue;
    try {
      const former = await recallFormer(session.ctx, job.plan.key);
      if (former !== undefined && former !== job.person) moves.push({ item, id: receipt.id, former });
    } catch (thrown) {
      failJob(job, asHubSpotFailure(thrown), record.name);
    }
  }
  if (moves.length === 0) return;
  const plansOf = (id: string) => moves.filter(({ former }) => former === id).map(({ item }) => item.job.index);
  const ids = moves.map(({ former }) => former);
  const reading = await readMany(session, 'contacts', ids, [], plansOf);
  const real: (Move & { now: string })[] = [];
  for (const move of moves) {
    const failure = reading.failed.get(move.former);
    const now = reading.found.get(move.former)?.id;
    if (failure) failJob(move.item.job, failure, move.item.record.name);
    // A contact that is gone holds no links any more.
    else if (now !== undefined && now !== move.item.job.person) real.push({ ...move, now });
  }
  for (const [object, all] of Map.groupBy(real, ({ item }) => item.record.object))
    for (const part of chunk(all, UNLINK_BATCH)) await takeOff(session, object, part);
}

async function takeOff(session: Session, object: string, moves: (Move & { now: string })[]): Promise<void> {
  try {
    const pairs = moves.map(({ id, now }) => ({ from: id, to: now }));
    await session.send(
      unlinkRecords(object, 'contacts', pairs),
      moves.map(({ item }) => item.job.index),
    );
    for (const { item, now } of moves)
      item.job.notes.push(
        `Moved from contact ${now}, to whom an earlier write had linked it; what that write said on the contact itself stays.`,
      );
  } catch (thrown) {
    for (const { item } of moves) failJob(item.job, asHubSpotFailure(thrown), item.record.name);
  }
}
