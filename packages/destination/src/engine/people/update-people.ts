/**
 * Writes what calls say onto people who exist: one write a person, read first only where something depends on its values.
 *
 *   named     an id: of an earlier attempt, from memory, or named by the CRM
 *   read      -> plans are resolved with its values, and may ask for more of them -> read once more -> ready
 *   written   -> `updated`; `unchanged` where there was nothing to write
 *   refused   -> the plans that wrote the refused field end; what the others say is written once more
 *   gone      -> returned, to be looked up once more
 */

import { isRemembered } from '@wrapup/mapping';
import type { Context } from '../../port/context.ts';
import { Failure, parkedBy } from '../../port/failure.ts';
import type { Omission } from '../../port/omission.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import {
  type PlanReport,
  type PlanWrite,
  type Properties,
  placeOf,
  readTime,
  receiptOf,
  reportDropped,
  reportFailure,
  reportFailures,
  reportKept,
  withFirstCause,
} from '../plan/plan-write.ts';
import { withAlong } from '../records/draft-along.ts';
import type { CrmRow, RowResult } from '../rows/row.ts';
import { writeRows } from '../rows/write-rows.ts';
import { personMemory, recallWritten, settleRow, type WrittenValues } from '../rows/written-values.ts';
import { recallWatermark, rememberPerson, rememberWatermark } from './person-cache.ts';
import type { CrmPerson, KnownPerson, PeopleVerbs, PersonWrite } from './person-verbs.ts';
import {
  contactSteps,
  fitPerson,
  inOrder,
  joinById,
  latestOf,
  makePatch,
  mustRead,
  namesOfSet,
  notesOfPerson,
  propertiesToRead,
  resolvePlan,
} from './person-write.ts';

/** Rounds after the first are for those who shared a write with a plan whose field was refused. */
const MAX_ROUNDS = 3;

interface UpdatedPeople {
  /** With their person. */
  writes: PlanWrite[];
  /** Those whose record turned out to be gone, under its id. */
  gone: GonePerson[];
  reports: PlanReport[];
  /** Those who are to be written still. */
  open: KnownPerson[];
}

export interface GonePerson {
  id: string;
  writes: readonly PersonWrite[];
}

const join = (...parts: Partial<UpdatedPeople>[]): UpdatedPeople => ({
  writes: parts.flatMap(({ writes = [] }) => writes),
  gone: parts.flatMap(({ gone = [] }) => gone),
  reports: parts.flatMap(({ reports = [] }) => reports),
  open: parts.flatMap(({ open = [] }) => open),
});

/** Reads those of whom something has to be known: `open` can be written, and so can the records of their calls. Never rejects. */
export async function readyPeople(crm: PeopleVerbs, people: KnownPerson[]): Promise<UpdatedPeople> {
  // Two ids may turn out to be one person when they are read: merged, or converted.
  const { open, ...first } = await readWhereNeeded(crm, joinById(people));
  // A plan may write more properties once it knows the person: those are read as well.
  const resolved = withoutStopped(joinById(open).map(resolve), ({ plan }) => parkedBy(plan));
  const read = await readWhereNeeded(crm, resolved.people);
  const fitting = withoutStopped(joinById(read.open), ({ plan, limited }, { person, created }) => {
    if (created || limited || crm.notWritten?.(person) !== undefined) return undefined;
    return fitPerson(crm, person.object, plan.person?.fields ?? [], 'update')?.refused;
  });
  const writes = fitting.people.flatMap(writesOf);
  const reports = [...resolved.reports, ...fitting.reports];
  return join(first, { ...read, open: fitting.people }, { writes, reports });
}

/** Never rejects. @param people who are ready */
export async function updatePeople(crm: PeopleVerbs, people: KnownPerson[]): Promise<UpdatedPeople> {
  let done = join({ open: people });
  for (let round = 1; round <= MAX_ROUNDS && done.open.length > 0; round += 1)
    done = join({ ...done, open: [] }, await writeOnce(crm, joinById(done.open), round === MAX_ROUNDS));
  return done;
}

/** @param last what is refused now is not written once more */
async function writeOnce(crm: PeopleVerbs, people: KnownPerson[], last: boolean): Promise<UpdatedPeople> {
  const rows = new Map<CrmRow, Writing>();
  const parts: Partial<UpdatedPeople>[] = [];
  let values: WrittenValues;
  try {
    values = await recallPeople(crm, people);
  } catch (thrown) {
    return join({ reports: people.flatMap(({ writes }) => reportFailures(writes, 'person', thrown)) });
  }
  const drafted: { row: CrmRow; writing: Writing }[] = [];
  for (const { row, writing, ...ended } of await Promise.all(people.map((known) => prepare(crm, known, values)))) {
    if (row && writing) drafted.push({ row, writing });
    parts.push(ended);
  }
  const whole = await withAlong(
    crm.along,
    drafted.map(({ row, writing: { known } }) => ({ row, ...known })),
    parts.flatMap(({ writes = [] }) => writes),
  );
  for (const [index, { row, writing }] of drafted.entries()) rows.set(whole[index] ?? row, writing);
  const settleWriting = async ([row, result]: [CrmRow, RowResult]): Promise<Partial<UpdatedPeople>> => {
    const writing = rows.get(row);
    if (!writing) return {};
    const { known } = writing;
    const { object } = known.person;
    await settleRow(values, crm.fields, { name: personMemory(known.person), object }, result);
    const dropped = { reports: known.writes.flatMap((write) => reportDropped(write, 'person', result.dropped)) };
    if (result.ok) return join(dropped, await conclude(crm, writing, result.fields, result.id));
    if (result.failure.code === 'gone') return join(dropped, { gone: [{ id: known.person.id, writes: known.writes }] });
    return join(dropped, refuse(crm, known, row, result, last));
  };
  const written = await writeRows(crm, 'update', [...rows.keys()]);
  return join(...parts, ...(await Promise.all([...written].map(settleWriting))));
}

/**
 * What is noted of what was written to them, where a field is decided by it; of those who were created a moment ago under
 * their key, where that is all.
 */
function recallPeople(crm: PeopleVerbs, people: KnownPerson[]): Promise<WrittenValues> {
  const isNoted = ({ plan }: PersonWrite) => plan.person?.fields.some(isRemembered);
  const known = people.filter(({ created, writes }) => !created && writes.some(isNoted));
  return recallWritten(
    crm.session.ctx,
    known.map(({ person, writes }) => notesOfPerson(person, writes)),
  );
}

/** Reads those who cannot be written without their values. */
async function readWhereNeeded(crm: PeopleVerbs, people: KnownPerson[]): Promise<UpdatedPeople> {
  const unread = people.filter((known) => isUnread(known, crm.watermark));
  if (unread.length === 0) return join({ open: people });
  const names = [...new Set(unread.flatMap((known) => neededOf(known, crm.watermark)))];
  const found = await readById(crm, unread, names);
  const parts = people.map((known): Partial<UpdatedPeople> => {
    if (!unread.includes(known)) return { open: [known] };
    const { person, writes } = known;
    const read = found.get(person.id);
    if (read instanceof Failure) return { reports: reportFailures(writes, 'person', read) };
    if (!read) return { gone: [{ id: person.id, writes }] };
    return { open: [{ ...known, person: read, asked: new Set(names), verify: false }] };
  });
  return join(...parts);
}

/** Reads people, and whom they have become. */
async function readById(
  crm: PeopleVerbs,
  people: KnownPerson[],
  properties: string[],
): Promise<Map<string, CrmPerson | Failure>> {
  const found = new Map<string, CrmPerson | Failure>();
  let open = people.map(({ person, writes }) => ({ id: person.id, now: person.id, writes }));
  // A lead is followed to its contact, and that to whom it was merged into.
  for (let round = 0; round < MAX_ROUNDS && open.length > 0; round += 1) {
    const ids = new Map(open.map(({ now, writes }) => [now, writes.map(({ index }) => index)]));
    const { byId } = await crm.read({ ids, emails: new Map() }, properties);
    open = open.flatMap(({ id, now, writes }) => {
      const person = byId.get(now);
      if (person && !(person instanceof Failure) && person.follow) return [{ id, now: person.follow, writes }];
      if (person) found.set(id, person);
      return [];
    });
  }
  return found;
}

function isUnread(known: KnownPerson, watermark: string): boolean {
  if (known.created) return false;
  if (known.verify) return true;
  if (!mustRead(known.writes, known.person.set)) return false;
  return !known.asked || neededOf(known, watermark).some((name) => !known.asked?.has(name));
}

function neededOf({ writes }: KnownPerson, watermark: string): string[] {
  return propertiesToRead(
    writes.map(({ plan }) => plan),
    watermark,
  );
}

/** Fills in what the mappings read of the person. A new one was written with what they say of a new person. */
function resolve(known: KnownPerson): KnownPerson {
  if (!known.asked || known.created) return known;
  return { ...known, writes: known.writes.map((write) => resolvePlan(write, known.person.properties)) };
}

/** Those end here whose plan cannot be written to the person, as is known without asking the CRM. */
function withoutStopped(
  people: KnownPerson[],
  stopOf: (write: PersonWrite, known: KnownPerson) => Failure | undefined,
): { people: KnownPerson[]; reports: PlanReport[] } {
  const reports: PlanReport[] = [];
  const left = people.flatMap((known): KnownPerson[] => {
    const writes = known.writes.filter((write) => {
      const failure = write.resolved && !write.done ? stopOf(write, known) : undefined;
      if (failure) reports.push(reportFailure(write, 'person', failure));
      return !failure;
    });
    return writes.length > 0 ? [{ ...known, writes }] : [];
  });
  return { people: left, reports };
}

interface Writing {
  known: KnownPerson;
  /** Epoch ms of the latest call, when the person's watermark has to move to it. */
  latest: number | undefined;
}

/** The person's row; none when there is nothing to write, and then the person is done. */
async function prepare(
  crm: PeopleVerbs,
  known: KnownPerson,
  values: WrittenValues,
): Promise<Partial<UpdatedPeople> & { row?: CrmRow; writing?: Writing }> {
  const { ctx } = crm.session;
  const { person, created } = known;
  const writing = known.writes.filter((write) => !write.done && !write.limited);
  try {
    const ends = created ? undefined : latestOf(writing);
    const watermark = ends === undefined ? undefined : await watermarkOf(ctx, person, crm.watermark);
    const latest = ends === undefined || ends <= (watermark ?? 0) ? undefined : ends;
    const drafted = created || writing.length === 0 ? undefined : rowOf(crm, known, writing, watermark, values);
    const { row, reports, remembered } = drafted ?? { reports: [] };
    const last = inOrder(writing).at(-1);
    if (row && remembered && last)
      await values.intend(personMemory(person), remembered, { key: last.plan.key, ended_at: last.ended_at });
    if (row) return { row, writing: { known, latest }, reports };
    // Where the account has the property, a watermark that moves is itself something to write.
    if (latest !== undefined) await rememberWatermark(ctx, person.id, new Date(latest).toISOString());
    return join({ reports }, finish(crm, known, created ? 'created' : 'unchanged'));
  } catch (thrown) {
    return { reports: reportFailures(known.writes, 'person', thrown) };
  }
}

function rowOf(
  crm: PeopleVerbs,
  known: KnownPerson,
  writing: PersonWrite[],
  watermark: number | undefined,
  values: WrittenValues,
): { row?: CrmRow; reports: PlanReport[]; remembered?: ReadonlyMap<string, string> } {
  const { person } = known;
  const note = crm.notWritten?.(person);
  if (note !== undefined) return { reports: writing.map(({ index }) => ({ plan: index, note })) };
  const patch = makePatch(crm, person.object, writing, person.properties, watermark, { ...person, values });
  const { fields, dropped, decided, remembered } = patch;
  const reports = [
    ...[...decided].flatMap(([write, all]) => reportKept(write, 'person', all)),
    ...[...dropped].flatMap(([write, all]) => reportDropped(write, 'person', all)),
  ];
  if (Object.keys(fields).length === 0) return { reports };
  const plans = writing.map(({ index }) => index);
  const target = crm.target?.(person, fields) ?? { object: person.object, id: person.id, fields };
  // The account of a contact is locked with it.
  const row = { ...target, parent: person.account ?? person.id, plans, required: new Set<string>() };
  return { row, reports, remembered };
}

/** Epoch ms when the last call ended that was written to the person: by its property, or by memory where it has none. */
export async function watermarkOf(
  ctx: Context,
  { id, properties }: CrmPerson,
  name: string,
): Promise<number | undefined> {
  return readTime(properties[name]) ?? readTime(await recallWatermark(ctx, id));
}

async function conclude(
  crm: PeopleVerbs,
  { known, latest }: Writing,
  fields: CrmRow['fields'],
  answered: string,
): Promise<Partial<UpdatedPeople>> {
  const { ctx } = crm.session;
  const { person, writes } = known;
  // A merged record answers under its new id; one that stands for the person under its own.
  const id = person.written_as ? person.id : answered;
  const sure = writes.filter(({ limited, chosen }) => !limited && !chosen);
  // Of a person who is written as another record the fields have other names.
  const set = person.written_as ? [] : namesOfSet(crm, writes, { ...person.properties, ...(fields as Properties) });
  try {
    await Promise.all([
      crm.foundBy(person.object).some((name) => name in fields) &&
        rememberPerson(ctx, sure.flatMap(contactSteps), id, [...(person.set ?? []), ...set]),
      latest !== undefined && !(crm.watermark in fields) && rememberWatermark(ctx, id, new Date(latest).toISOString()),
    ]);
  } catch (thrown) {
    ctx.log.warn({ error: Failure.of(thrown).message }, 'a written person could not be remembered');
  }
  return finish(crm, { ...known, person: { ...person, id } }, 'updated');
}

/** Ends the plans whose fault it is; those that are left are written without them. */
function refuse(
  crm: PeopleVerbs,
  known: KnownPerson,
  row: CrmRow,
  { failure, dropped }: RowResult & { ok: false },
  last: boolean,
): Partial<UpdatedPeople> {
  const judged = crm.judge(known.person, row, failure);
  if (!(judged instanceof Failure) && !last) return { open: [leaveOut(known, judged.leave_out, judged.why)] };
  const guilty = last ? known.writes : guiltyWrites(known.writes, failure);
  const why = withFirstCause(judged instanceof Failure ? judged : failure, dropped);
  const writes = known.writes.filter((write) => !guilty.includes(write));
  return {
    reports: reportFailures(guilty, 'person', why),
    open: writes.length > 0 ? [{ ...known, writes }] : [],
  };
}

function leaveOut(known: KnownPerson, property: string, why: string): KnownPerson {
  const writes = known.writes.map((write): PersonWrite => {
    const { plan, notes } = write;
    if (!plan.person) return write;
    const fields = plan.person.fields.filter(({ name }) => name !== property);
    const at = placeOf(plan, 'person', property);
    const note: Omission[] = at ? [{ code: 'taken_value', record: 'person', field: property, reason: why, at }] : [];
    return { ...write, plan: { ...plan, person: { ...plan.person, fields } }, notes: [...notes, ...note] };
  });
  return { ...known, writes };
}

/** Plans that wrote the refused field; all of them when the refusal names none. */
function guiltyWrites(writes: readonly PersonWrite[], { details: { field } }: Failure): readonly PersonWrite[] {
  const guilty = writes.filter(({ plan }) => plan.person?.fields.some(({ name }) => name === field));
  return field === undefined || guilty.length === 0 ? writes : guilty;
}

function finish(crm: PeopleVerbs, known: KnownPerson, did: RecordReceipt['did']): Partial<UpdatedPeople> {
  const { person, writes } = known;
  const { id, object } = person;
  return {
    reports: writes.flatMap(({ index, limited, notes }): PlanReport[] => {
      const receipt = receiptOf(crm, { name: 'person', object }, id, limited ? 'unchanged' : did);
      return [{ plan: index, receipt, limited }, ...notes.map((note) => ({ plan: index, note }))];
    }),
    writes: writesOf(known),
  };
}

/** The plans with their person, as their records are written. */
function writesOf({ person: { id, object, account }, writes }: KnownPerson): PlanWrite[] {
  const person = { id, object, ...(account ? { account } : {}) };
  return writes.map(({ index, plan, ended_at, log_only }) => ({ index, plan, ended_at, log_only, person }));
}
