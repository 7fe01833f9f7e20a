/**
 * Records that can be sent along with the row of their person, in a CRM that takes both in one request. They are drafted as
 * they will be when they are written by themselves, and what is about to be written is noted as it is then: whatever the CRM
 * did not write along, or wrote otherwise, is written or found again by its key when its turn comes.
 */
import { randomUUID } from 'node:crypto';
import type { CrmPerson } from '../people/person-verbs.ts';
import { type PlanWrite, wantedRecords } from '../plan/plan-write.ts';
import type { CrmRow } from '../rows/row.ts';
import { isShrunk } from '../rows/write-rows.ts';
import { recallWritten, recordMemory } from '../rows/written-values.ts';
import { strategyIn } from './find-keys.ts';
import { makeRow } from './record-row.ts';
import type { Item, KeyStrategy, RecordVerbs } from './record-verbs.ts';
import { firstOfEachKey } from './shared-key.ts';

interface Draft {
  item: Item;
  row: CrmRow;
  remembered: ReadonlyMap<string, string>;
}

/** The row of a person, and the plans that are about them. */
interface RowOfPerson {
  row: CrmRow;
  writes: readonly PlanWrite[];
  /** Who it is, of one who is there already. */
  person?: CrmPerson;
}

/**
 * The rows, in their order, each with the records that wait for nothing but its id. Never rejects: what cannot be drafted is
 * not sent along.
 * @param crm absent where the CRM does not take both in one request
 * @param others plans whose person needs no row: their records go along with the first one
 */
export async function withAlong(
  crm: RecordVerbs | undefined,
  people: readonly RowOfPerson[],
  others: readonly PlanWrite[] = [],
): Promise<CrmRow[]> {
  if (!crm || people.length === 0) return people.map(({ row }) => row);
  const ids = people.map(() => randomUUID());
  const writes = people.flatMap(({ row: { object }, writes, person: known }, index) => {
    const account = known?.account;
    const person = { object, id: ids[index] ?? '', ...(account === undefined ? {} : { account }) };
    // One who is written as another record is answered under that one's id.
    return known?.written_as ? [] : writes.map((write): PlanWrite => ({ ...write, person }));
  });
  const drafts = await draftAlong(crm, [...writes, ...others]);
  return people.map(({ row, writes }, index): CrmRow => {
    const own = index === 0 ? [...writes, ...others] : writes;
    const rows = own.flatMap((write) => drafts.get(write.index) ?? []);
    return rows.length === 0 ? row : { ...row, along: { id: ids[index] ?? '', rows } };
  });
}

/** Rows by plan. */
async function draftAlong(crm: RecordVerbs, writes: PlanWrite[]): Promise<ReadonlyMap<number, CrmRow[]>> {
  const { ctx } = crm.session;
  try {
    const resolved = (await crm.resolve?.(writes, true))?.writes ?? writes;
    const items = firstOfEachKey(resolved.flatMap((write) => waitingOf(crm, write)));
    const strategies = new Map<string, KeyStrategy | undefined>();
    const settle = async (object: string) => {
      // An account that could not take full requests of late is given them apart, in the size that it takes.
      if (!(await isShrunk(ctx, object))) strategies.set(object, await strategyIn(crm.keys, object));
    };
    await Promise.all([...new Set(items.map(({ record }) => record.object))].map(settle));
    const values = await recallWritten(
      ctx,
      items.map(({ record }) => recordMemory(record)),
    );
    const drafts = items.flatMap((item): Draft[] => {
      const strategy = strategies.get(item.record.object);
      // One that keeps other deliveries off has to do so first.
      if (!strategy || strategy.claim) return [];
      const { row, refused, remembered } = makeRow({ ...crm, values }, item, undefined);
      return row && !refused ? [{ item, row: strategy.keyed(row, item.record), remembered }] : [];
    });
    const note = ({ item: { write, record }, remembered }: Draft) =>
      values.intend(recordMemory(record), remembered, { key: write.plan.key, ended_at: write.ended_at });
    await Promise.all(drafts.map(note));
    const byPlan = Map.groupBy(drafts, ({ item }) => item.write.index);
    return new Map([...byPlan].map(([plan, all]) => [plan, all.map(({ row }) => row)]));
  } catch {
    return new Map();
  }
}

/** Records of a first attempt that are created whatever is there, and name nothing but their person. */
function waitingOf(crm: Pick<RecordVerbs, 'sharedKey'>, write: PlanWrite): Item[] {
  const { plan, person, log_only } = write;
  if (!person || log_only || plan.resume) return [];
  // What is not found may park the call, of which nothing is written then.
  if (plan.records.some(({ find }) => find)) return [];
  return wantedRecords(write)
    .filter(({ own_key }) => !own_key)
    .filter((record) => record.associate.every((name) => name === 'person' && !record.related?.[name]))
    .filter((record) => crm.sharedKey?.(record) === undefined)
    .map((record) => ({ write, record, targets: record.associate.map((name) => ({ name, ...person })) }));
}
