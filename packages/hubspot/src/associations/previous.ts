/**
 * Takes records off the person whom an earlier write linked them to, when a replay finds another: one call log belongs
 * to one person. Who was merged into the person found now is that person, and keeps the link. What an earlier write said
 * on the previous contact itself stays; the receipt says so.
 */
import { Failure } from '@wrapup/destination';
import type { Associated, Item, PlanWrite, Written } from '@wrapup/destination/engine';
import { chunk } from '@wrapup/destination/engine';
import { unlinkRecords } from '../client/api.ts';
import { readMany } from '../client/batch-read.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import { previousMemory } from '../memories.ts';
import type { HubSpotSession } from '../session.ts';

/** HubSpot's limit for taking links off. */
const UNLINK_BATCH = 100;

/** Whom a call's records were linked to is kept until a replay that found another person has succeeded. */
const KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Notes whom the plans' records were linked to before, so that an attempt that fails halfway does not forget it.
 * @returns what could not be noted
 */
export async function notePrevious({ ctx }: HubSpotSession, writes: PlanWrite[]): Promise<[PlanWrite, Failure][]> {
  const failed: [PlanWrite, Failure][] = [];
  for (const write of writes) {
    const known = write.plan.resume?.records.person;
    // That no person is found now is no reason to take the records off the one found before.
    if (known === undefined || write.person === undefined || known === write.person.id) continue;
    if (!/^\d+$/.test(known)) continue;
    await ctx.memory.set(previousMemory(write.plan.key), known, KEPT_MS).catch((thrown: unknown) => {
      failed.push([write, Failure.of(thrown)]);
    });
  }
  return failed;
}

interface Move {
  item: Item;
  id: string;
  previous: string;
}

/** Never rejects. */
export async function unlinkPrevious(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const done: Associated = { failed: new Map(), notes: [] };
  const moves: Move[] = [];
  for (const { item, receipt } of written) {
    const { write, record } = item;
    if (!write.plan.resume || !write.person || !record.associate.includes('person')) continue;
    // A company is more people's than ours: who made the link is not known.
    if (record.object === 'companies') continue;
    try {
      const previous = await session.ctx.memory.get(previousMemory(write.plan.key));
      if (previous !== undefined && previous !== write.person.id) moves.push({ item, id: receipt.id, previous });
    } catch (thrown) {
      done.failed.set(item, Failure.of(thrown));
    }
  }
  if (moves.length === 0) return done;
  const reading = await readMany(session, {
    object: 'contacts',
    ids: moves.map(({ previous }) => previous),
    properties: [],
    plansOf: (id) => moves.filter(({ previous }) => previous === id).map(({ item }) => item.write.index),
  });
  const real: Move[] = [];
  for (const { previous, ...move } of moves) {
    const failure = reading.failed.get(previous);
    const now = reading.found.get(previous)?.id;
    if (failure) done.failed.set(move.item, failure);
    // A contact that is gone holds no links any more.
    else if (now !== undefined && now !== move.item.write.person?.id) real.push({ ...move, previous: now });
  }
  for (const [object, all] of Map.groupBy(real, ({ item }) => item.record.object))
    for (const part of chunk(all, UNLINK_BATCH)) {
      try {
        const pairs = part.map(({ id, previous }) => ({ from: id, to: previous }));
        const plans = part.map(({ item }) => item.write.index);
        await session.send(unlinkRecords(object, 'contacts', pairs), plans);
        for (const { item, previous } of part)
          done.notes.push([
            item,
            `Moved from contact ${previous}, to whom an earlier write had linked it; what that write said on the contact itself stays.`,
          ]);
      } catch (thrown) {
        for (const { item } of part) done.failed.set(item, asHubSpotFailure(thrown));
      }
    }
  return done;
}
