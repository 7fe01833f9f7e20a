/**
 * Records that are there already (`find:`): looked for before anything of the plans' records is written, all of an object
 * together. What was found is noted under the call's own key, so that a revision or a replay changes the same record, also
 * after a crash.
 */
import type { Plan, RecordPlan } from '@wrapup/mapping';
import { Failure } from '../../port/failure.ts';
import {
  doneBefore,
  type FoundRecord,
  type PlanReport,
  type PlanWrite,
  reportFailure,
  wantedRecords,
} from '../plan/plan-write.ts';
import { foundMemory } from '../rows/written-values.ts';
import type { Item, RecordReading, RecordVerbs } from './record-verbs.ts';

/** As long as the ledger is kept, in ms. */
const KEPT_MS = 90 * 24 * 3_600_000;

type Finder = Pick<RecordVerbs, 'session' | 'readById'>;

/**
 * The plans with what was found for them; those that end here are reported. Never rejects.
 * @param preview nothing is to be noted outside
 */
export async function findRecords(
  crm: Finder,
  writes: PlanWrite[],
  preview = false,
): Promise<{ writes: PlanWrite[]; reports: PlanReport[] }> {
  const asked = writes.flatMap((write) =>
    wantedRecords(write)
      .filter((record) => record.find && doneBefore(write.plan, record.name) === undefined)
      .map((record): Item => ({ write, record, targets: [] })),
  );
  if (asked.length === 0) return { writes, reports: [] };
  const known = new Map<string, FoundRecord>();
  const answers = new Map<Item, FoundRecord | 'absent' | Failure>();
  try {
    const ids = await idsOf(crm, asked);
    const readings = (await crm.readById?.(ids)) ?? new Map<Item, RecordReading>();
    for (const item of asked) answers.set(item, toFound(item, ids.has(item) ? readings.get(item) : 'absent', known));
    if (!preview) for (const [item, one] of answers) if (isFound(one)) await note(crm, item, one.id);
  } catch (thrown) {
    for (const item of asked) answers.set(item, Failure.of(thrown));
  }
  return settle(writes, answers);
}

const isFound = (answer: FoundRecord | 'absent' | Failure): answer is FoundRecord =>
  answer !== 'absent' && !(answer instanceof Failure);

/** The one that this call was written to before, else the one that it names. */
async function idsOf({ session }: Finder, items: Item[]): Promise<Map<Item, string>> {
  const ids = new Map<Item, string>();
  const recall = async (item: Item) => {
    const { record, write } = item;
    const before = (await session.ctx.memory.get(foundMemory(record.key))) ?? write.plan.resume?.records[record.name];
    const id = before ?? record.find?.id;
    if (id !== undefined) ids.set(item, id);
  };
  await Promise.all(items.map(recall));
  return ids;
}

async function note({ session }: Finder, { record }: Item, id: string): Promise<void> {
  await session.ctx.memory.set(foundMemory(record.key), id, KEPT_MS);
}

/** One object for each record of the CRM: what one plan writes the next one sees. */
function toFound(
  { record: { object } }: Item,
  reading: RecordReading | undefined,
  known: Map<string, FoundRecord>,
): FoundRecord | 'absent' | Failure {
  if (reading === undefined || reading === 'absent' || reading instanceof Failure) return reading ?? 'absent';
  const name = `${object} ${reading.id}`;
  const found = known.get(name) ?? { id: reading.id, properties: { ...reading.properties } };
  known.set(name, found);
  return found;
}

function settle(writes: PlanWrite[], answers: ReadonlyMap<Item, FoundRecord | 'absent' | Failure>) {
  const reports: PlanReport[] = [];
  const byWrite = Map.groupBy(answers, ([{ write }]) => write);
  const settled = writes.flatMap((write): PlanWrite[] => {
    const found = new Map<string, FoundRecord>();
    const gone = new Set<string>();
    for (const [{ record }, answer] of byWrite.get(write) ?? []) {
      const failure = answer instanceof Failure ? answer : answer === 'absent' ? parkedWithout(record) : undefined;
      if (failure) {
        reports.push(reportFailure(write, record.name, failure));
        return [];
      }
      if (isFound(answer as FoundRecord | 'absent')) found.set(record.name, answer as FoundRecord);
      else if (record.find?.none === 'skip') {
        gone.add(record.name);
        const note = `${record.name} was not written: ${record.find.why}.`;
        reports.push({ plan: write.index, note, without: record.name });
      }
    }
    return [{ ...write, plan: withRecords(write.plan, found, gone), found }];
  });
  return { writes: settled, reports };
}

function parkedWithout({ name, find }: RecordPlan): Failure | undefined {
  if (find?.none !== 'park') return undefined;
  return new Failure('missing_record', `There is no record for ${name}: ${find.why}.`, {
    at: find.at,
    hint: 'Correct the id in the CRM or in your list, or say none: create; then replay. Or drop the delivery.',
  });
}

/** Found records are known by their own id, whichever call means them; those that are skipped are linked to nothing. */
function withRecords(plan: Plan, found: ReadonlyMap<string, FoundRecord>, gone: ReadonlySet<string>): Plan {
  const records = plan.records
    .filter(({ name }) => !gone.has(name))
    .map((record): RecordPlan => {
      const { find: _, own_key, ...rest } = record;
      const id = found.get(record.name)?.id;
      const associate = record.associate.filter((name) => !gone.has(name));
      if (id !== undefined) return { ...rest, associate, key: `found:${id}`, own_key: { person: false } };
      return { ...rest, associate, ...(own_key ? { own_key } : {}) };
    });
  return { ...plan, records };
}
