/**
 * Records that people have already (`associate: [company, open_deals]`): read for the whole batch before anything that is
 * linked to them is written.
 *
 * They are read once for a record and a person. A call that comes again is linked to nothing that the person has had since,
 * and to nothing that a colleague has taken off since: what is noted of the record says that its links were made.
 */
import type { RecordPlan, RelatedPlan } from '@wrapup/mapping';
import { Failure } from '../../port/failure.ts';
import { askedFor } from '../people/match-people.ts';
import {
  doneBefore,
  type Existing,
  type PlanReport,
  type PlanWrite,
  reportFailure,
  wantedRecords,
} from '../plan/plan-write.ts';
import { type NoteNames, recallWritten } from '../rows/written-values.ts';
import type { RecordVerbs } from './record-verbs.ts';
import { withSharedKey } from './shared-key.ts';
import { notesOf } from './write-wave.ts';

type Reader = Pick<RecordVerbs, 'session' | 'sharedKey' | 'readRelated'>;

/** Whose records of which object. */
interface Ask {
  of: string;
  id: string;
  object: string;
  plan: number;
}

type Answers = Map<string, Existing[] | Failure>;

/** The plans with what their people have; those whose look-up failed are reported. Never rejects. */
export async function relateRecords(
  crm: Reader,
  writes: PlanWrite[],
): Promise<{ writes: PlanWrite[]; reports: PlanReport[] }> {
  const asking = writes.filter((write) => relating(write).length > 0);
  if (asking.length === 0 || !crm.readRelated) return { writes, reports: [] };
  const reports: PlanReport[] = [];
  const answers: Answers = new Map();
  try {
    const open = await withoutLinked(crm, asking);
    const words = [...open.values()].flatMap((write) => wordsOf(write).map((word) => ({ write, word })));
    await readInto(
      crm,
      words.flatMap(({ write, word }) => firstAsks(write, word)),
      answers,
    );
    await readInto(
      crm,
      words.flatMap(({ write, word }) => throughAsk(write, word, answers)),
      answers,
    );
    const related = writes.flatMap((write): PlanWrite[] => {
      const one = open.get(write) ?? write;
      const found = relatedOf(one, answers);
      if (!(found instanceof Failure)) return [{ ...one, related: found }];
      reports.push(reportFailure(write, relating(write)[0]?.name ?? '', found));
      return [];
    });
    return { writes: related, reports };
  } catch (thrown) {
    const failed = asking.map((write) => reportFailure(write, relating(write)[0]?.name ?? '', Failure.of(thrown)));
    return { writes: writes.filter((write) => !asking.includes(write)), reports: failed };
  }
}

/** Records of the plan that are linked to what its person has. */
function relating(write: PlanWrite): RecordPlan[] {
  if (!write.person || write.log_only) return [];
  return wantedRecords(write).filter(
    (record) => wordsIn(record).length > 0 && doneBefore(write.plan, record.name) === undefined,
  );
}

function wordsIn({ associate, related = {} }: RecordPlan): [string, RelatedPlan][] {
  return Object.entries(related).filter(([name]) => associate.includes(name));
}

function wordsOf(write: PlanWrite): [string, RelatedPlan][] {
  return [...new Map(relating(write).flatMap(wordsIn))];
}

/** The plans, each without what earlier deliveries have linked its records to. @throws what memory throws */
async function withoutLinked(crm: Reader, asking: PlanWrite[]): Promise<Map<PlanWrite, PlanWrite>> {
  const namesOf = (write: PlanWrite, record: RecordPlan): NoteNames =>
    notesOf(withSharedKey(crm, { write, record, targets: [] }));
  const repeated = asking.filter(({ plan }) => plan.resume);
  const names = repeated.flatMap((write) => relating(write).map((record) => namesOf(write, record)));
  const noted = names.length > 0 ? await recallWritten(crm.session.ctx, names) : undefined;
  return new Map(
    asking.map((write) => {
      const { plan, person } = write;
      if (!person || !noted || !plan.resume) return [write, write];
      const records = plan.records.map((record) => {
        if (!record.related || !noted.hasLink(namesOf(write, record).name, person)) return record;
        const { related } = record;
        return { ...record, associate: record.associate.filter((name) => !Object.hasOwn(related, name)) };
      });
      return [write, { ...write, plan: { ...plan, records } }];
    }),
  );
}

const keyOf = ({ of, id, object }: Omit<Ask, 'plan'>) => `${object} of ${of} ${id}`;

async function readInto(crm: Reader, asks: Ask[], answers: Answers): Promise<void> {
  const open = asks.filter((ask) => !answers.has(keyOf(ask)));
  const groups = [...Map.groupBy(open, ({ of, object }) => `${of} ${object}`).values()];
  if (groups.length === 0) return;
  const questions = groups.map((group) => {
    const { of = '', object = '' } = group[0] ?? {};
    return { of, object, properties: [], ids: askedFor(group.map(({ id, plan }) => [id, [plan]])) };
  });
  const read = (await crm.readRelated?.(questions)) ?? [];
  for (const [index, group] of groups.entries())
    for (const ask of group) answers.set(keyOf(ask), read[index]?.get(ask.id) ?? []);
}

/** The person's own, and where they may have none: that of what they belong to, as far as it is known. */
function firstAsks({ person, index }: PlanWrite, [, { object, through }]: [string, RelatedPlan]): Ask[] {
  if (!person) return [];
  const own = { of: person.object, id: person.id, plan: index };
  if (through === undefined || through === person.object) return [{ ...own, object }];
  const rest =
    person.account === undefined
      ? { ...own, object: through }
      : { of: through, id: person.account, object, plan: index };
  return [{ ...own, object }, rest];
}

/** Of people who have none of their own, and of whom it was read just now what they belong to. */
function throughAsk(write: PlanWrite, [, { object, through }]: [string, RelatedPlan], answers: Answers): Ask[] {
  const { person, index } = write;
  if (!person || through === undefined || through === person.object) return [];
  const own = answers.get(keyOf({ of: person.object, id: person.id, object }));
  const id = accountOf(write, through, answers);
  return own instanceof Failure || own?.length !== 0 || id === undefined || id instanceof Failure
    ? []
    : [{ of: through, id, object, plan: index }];
}

function accountOf({ person }: PlanWrite, through: string, answers: Answers): string | Failure | undefined {
  if (!person || person.account !== undefined) return person?.account;
  const read = answers.get(keyOf({ of: person.object, id: person.id, object: through }));
  return read instanceof Failure ? read : read?.[0]?.id;
}

/** Ids by name in the mapping, or the look-up that failed. */
function relatedOf(write: PlanWrite, answers: Answers): Map<string, string[]> | Failure {
  const { person } = write;
  const related = new Map<string, string[]>();
  for (const [word, { object, through }] of person ? wordsOf(write) : []) {
    let found = answers.get(keyOf({ of: person?.object ?? '', id: person?.id ?? '', object })) ?? [];
    if (found instanceof Failure) return found;
    if (found.length === 0 && through !== undefined && through !== person?.object) {
      const account = accountOf(write, through, answers);
      if (account instanceof Failure) return account;
      found = account === undefined ? [] : (answers.get(keyOf({ of: through, id: account, object })) ?? []);
      if (found instanceof Failure) return found;
    }
    related.set(
      word,
      found.map(({ id }) => id),
    );
  }
  return related;
}
