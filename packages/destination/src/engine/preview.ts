/** What `write` would do, found out by reads alone. */
import { type FieldWrite, type Plan, plainText, type Value } from '@wrapup/mapping';
import type {
  ContactSummary,
  FieldChange,
  PersonAnswer,
  PersonQuestion,
  PersonRecord,
  Preview,
  SinceWritten,
} from '../port/destination.ts';
import { Failure, parkedBy } from '../port/failure.ts';
import type { CrmAdapter, FieldLabels } from './adapter.ts';
import { beginPeople } from './people/identify-people.ts';
import { decide, lookUpPeople, type MatchDecision, type MatchResult } from './people/match-people.ts';
import type { CrmPerson, PeopleVerbs, PersonIdentity, PersonWrite } from './people/person-verbs.ts';
import {
  mustRead,
  notesOfPerson,
  propertiesToRead,
  questionOf,
  resolvePlan,
  standingOf,
  writtenBefore,
} from './people/person-write.ts';
import { limitIfSaid } from './people/said-addresses.ts';
import { watermarkOf } from './people/update-people.ts';
import {
  beginPlan,
  type CallStanding,
  changeOf,
  decideFields,
  type Existing,
  type PlanWrite,
  type Properties,
  wantedRecords,
  withoutNewer,
} from './plan/plan-write.ts';
import { strategyIn } from './records/find-keys.ts';
import { findRecords } from './records/find-records.ts';
import { recordStanding } from './records/record-row.ts';
import type { Item, RecordReading } from './records/record-verbs.ts';
import { withSharedKey } from './records/shared-key.ts';
import { notesOf } from './records/write-wave.ts';
import type { FieldRules } from './rows/row.ts';
import { canonicalOf, personMemory, recallWritten, recordMemory, type WrittenValues } from './rows/written-values.ts';

interface Matched {
  write: PersonWrite;
  found: MatchResult;
  decision: MatchDecision;
  /** Whom it would be written to, of those who exist. */
  person: CrmPerson | undefined;
}

/** @throws the failure of a look-up that failed */
export async function previewPlans(
  plans: Plan[],
  open: (writes: PlanWrite[]) => Promise<CrmAdapter>,
): Promise<Preview[]> {
  const writes = plans.map(beginPlan);
  const crm = await open(writes);
  const begun = await beginPeople(crm.people, crm.owners, writes);
  for (const report of begun.reports) if ('failure' in report) throw report.failure;
  const matched = await matchAll(crm, begun.writes);
  const begunWrites: PlanWrite[] = matched.map(({ write }) => write);
  const resolved = (await crm.records.resolve?.(begunWrites, true)) ?? { writes: begunWrites, reports: [] };
  for (const report of resolved.reports) if ('failure' in report) throw report.failure;
  const found = await findRecords(crm.records, resolved.writes, true);
  const parked = new Map<number, Failure>();
  for (const report of found.reports)
    if ('failure' in report) {
      if (report.failure.next !== 'park') throw report.failure;
      parked.set(report.plan, report.failure);
    }
  const planOf = new Map([...resolved.writes, ...found.writes].map((write) => [write.index, write]));
  const ready = matched.map((one) => ({ ...one, write: { ...one.write, ...planOf.get(one.write.index) } }));
  const there = await readExisting(
    crm,
    ready.map(({ write }) => write),
  );
  const values = await recallAll(crm, ready, there);
  const previews = await Promise.all(
    ready.map((one) => previewPlan(crm, one, there, values, parked.get(one.write.index))),
  );
  const objects = new Set(previews.flatMap(({ records }) => records.map(({ object }) => object)));
  const labels = await crm.describeFields?.([...objects]);
  return previews.map((preview) => ({
    ...preview,
    records: preview.records.map((record) => ({
      ...record,
      fields: record.fields.map((change) => withLabels(change, labels?.get(record.object))),
    })),
  }));
}

/** Field and values as people see them. */
function withLabels(change: FieldChange, labels: FieldLabels | undefined): FieldChange {
  const known = labels?.get(change.field);
  const shown = (value: Value | undefined) => {
    const option = known?.options.get(String(value));
    if (option !== undefined && option !== value) return option;
    return typeof value === 'string' && MARKUP.test(value) ? plainText(value) : undefined;
  };
  const [from, to] = [shown(change.from), shown(change.to)];
  return {
    ...change,
    ...(known?.label ? { label: known.label } : {}),
    ...(from === undefined ? {} : { from_shown: from }),
    ...(to === undefined ? {} : { to_shown: to }),
  };
}

const MARKUP = /<(?:br|p|strong|em|b|i|ul|ol|li|a|div)\b[^<>]*>/i;

/** What is noted of what was written to the people and records that are there. */
function recallAll(
  { people }: CrmAdapter,
  matched: Matched[],
  there: ReadonlyMap<string, Existing>,
): Promise<WrittenValues> {
  const persons = matched.flatMap(({ person, write }) => (person ? [notesOfPerson(person, [write])] : []));
  const found = matched.flatMap(({ write }) =>
    write.plan.records.filter(({ name }) => write.found?.has(name)).map((record) => notesOf({ write, record })),
  );
  const records = [...there.keys()].map((name) => {
    const at = name.indexOf(' ');
    return recordMemory({ object: name.slice(0, at), key: name.slice(at + 1) });
  });
  return recallWritten(people.session.ctx, [...persons, ...found, ...records]);
}

/** Looks up the people of all plans, with their values, and fills in what the mappings read of them. */
async function matchAll(crm: CrmAdapter, writes: PersonWrite[]): Promise<Matched[]> {
  const { people } = crm;
  const asking = writes.filter(({ plan }) => plan.person !== null);
  const wanted = propertiesToRead(
    writes.map(({ plan }) => plan),
    people.watermark,
  );
  const questions = asking.map((write) => ({ ...questionOf(write), mustRead: () => true }));
  const answers = await lookUpPeople(people, questions, [...new Set([...wanted, ...people.identifying])]);
  const foundBy = new Map(asking.map((write, index) => [write, answers[index]]));
  const match = async (write: PersonWrite): Promise<Matched> => {
    const found = foundBy.get(write) ?? { found: 'none' };
    const decision = decide(write.plan, found, people);
    const person = decision.do === 'use' ? decision.person : undefined;
    const limited = decision.do === 'use' ? await limitIfSaid(people.session.ctx, write, decision) : write;
    const log_only = decision.do === 'log_only' && write.plan.person !== null;
    const ref = person ? { person: { id: person.id, object: person.object } } : {};
    const resolved = resolvePlan(limited, person?.properties ?? {});
    return { write: { ...resolved, log_only, ...ref }, found, decision, person };
  };
  return Promise.all(writes.map(match));
}

/** Our own records that are there already, and shared ones, by object and key. @throws the failure of a look-up that failed */
async function readExisting({ records: crm }: CrmAdapter, writes: PlanWrite[]): Promise<ReadonlyMap<string, Existing>> {
  const items = writes.flatMap((write) =>
    write.plan.records
      .filter(({ name }) => !write.found?.has(name))
      .map((record) => withSharedKey(crm, { write, record, targets: [] })),
  );
  const isShared = ({ record }: Item) => crm.sharedKey?.(record) !== undefined;
  const there = new Map<string, Existing>();
  const note = (readings: ReadonlyMap<Item, RecordReading> | undefined) => {
    for (const [{ record }, reading] of readings ?? []) {
      // An account that has no key property yet has none of our records either.
      if (reading instanceof Failure && reading.code !== 'missing_property') throw reading;
      if (reading !== 'absent' && !(reading instanceof Failure)) there.set(`${record.object} ${record.key}`, reading);
    }
  };
  note(await crm.findShared?.(items.filter(isShared)));
  const own = Map.groupBy(
    items.filter((item) => !isShared(item)),
    ({ record }) => record.object,
  );
  for (const [object, all] of own) {
    note(await (await strategyIn(crm.keys, object))?.read(all));
  }
  return there;
}

async function previewPlan(
  crm: CrmAdapter,
  { write, found, decision, person }: Matched,
  there: ReadonlyMap<string, Existing>,
  values: WrittenValues,
  parked: Failure | undefined,
): Promise<Preview> {
  const { people, records: verbs } = crm;
  const { plan } = write;
  const records: Preview['records'] = [];
  const add = (name: string, object: string, id: string | undefined, fields: FieldChange[]) =>
    records.push({
      name,
      object,
      did: id === undefined ? 'create' : 'update',
      fields,
      ...(id === undefined ? {} : { id }),
    });
  if (decision.do === 'use' || decision.do === 'create') {
    const object = person?.object ?? people.newObject([write]);
    const watermark = person && (await watermarkOf(people.session.ctx, person, people.watermark));
    const facts = person
      ? standingOf(people.fields, write, watermark, { ...person, values })
      : { key: plan.key, ended_at: write.ended_at, watermark };
    add(
      'person',
      object,
      person?.id,
      changes(people.fields, object, plan.person?.fields ?? [], person?.properties, facts, {
        values,
        name: person && personMemory(person),
      }),
    );
  }
  if (decision.do !== 'skip' && decision.do !== 'fail')
    for (const record of wantedRecords(write)) {
      const { record: keyed } = withSharedKey(verbs, { write, record, targets: [] });
      const { object, key } = keyed;
      const existing = write.found?.get(record.name) ?? there.get(`${object} ${key}`);
      const isShared = keyed.own_key !== undefined || verbs.sharedKey?.(keyed) !== undefined;
      const standing = recordStanding(verbs.fields, write, keyed, values, isShared);
      const wanted = isShared ? record.fields : withoutNewer(record.fields);
      const noted = { values, name: recordMemory(keyed) };
      const fields = changes(verbs.fields, object, wanted, existing?.properties, standing, noted);
      add(record.name, object, existing?.id, fields);
    }
  const looking = requestsToLookUp(crm, write, found);
  const waits = decision.do === 'skip' || decision.do === 'fail' ? undefined : (parkedBy(plan) ?? parked);
  const stops = waits !== undefined || decision.do === 'fail' || decision.do === 'skip';
  const hint = waits
    ? `${waits.message} ${waits.hint ?? ''}`
    : decision.do === 'fail'
      ? decision.failure.hint
      : undefined;
  return {
    person: toAnswer(people, found),
    decision: waits || decision.do === 'fail' ? 'park' : decision.do,
    ...(hint ? { hint } : {}),
    records,
    left_out: plan.left_out.map(({ field, reason, at, unusable }) => ({
      ...{ field, reason, at },
      ...(unusable ? { unusable } : {}),
    })),
    requests: stops ? looking : looking + crm.estimate(write, records),
  };
}

/** Fields as the account takes them: what does not fit is shown as what `write` would leave out. */
function changes(
  rules: FieldRules,
  object: string,
  fields: FieldWrite[],
  current: Properties | undefined,
  call: CallStanding,
  { values, name }: { values: WrittenValues; name: string | undefined },
): FieldChange[] {
  const verb = current ? 'update' : 'create';
  const since = ({ name: property }: FieldWrite, from: Value | undefined, to: Value): SinceWritten | undefined => {
    const canonical = (value: Value | undefined) => canonicalOf(rules, object, property, value);
    const has = from !== undefined && from !== null && from !== '';
    return has && name !== undefined ? values.sinceWritten(name, property, canonical(from), canonical(to)) : undefined;
  };
  return fields.flatMap((field) => {
    const fitted = rules.fit?.(object, [field], { verb, required: new Set() });
    const failure = fitted?.refused ?? fitted?.dropped[0]?.failure;
    const from = current?.[field.name] ?? undefined;
    if (failure) return [changeOf({ field, from, to: field.value, applies: false, why: failure.message })];
    return decideFields(fitted?.fields ?? [field], current, call, (name) => rules.limitOf(object, name)).map(
      (decision) => {
        const change = changeOf({ ...decision, to: rules.encode(object, decision.field, decision.to) });
        const became = since(decision.field, decision.from, change.to);
        return became === undefined ? change : { ...change, since: became };
      },
    );
  });
}

/** Steps are tried until one answers; a person whom this delivery has written before is not looked for again. */
function requestsToLookUp({ reads_together }: CrmAdapter, write: PersonWrite, found: MatchResult): number {
  const match = write.plan.person?.match ?? [];
  const by = found.found === 'one' || found.found === 'many' ? found.by : undefined;
  const tried = by === undefined ? match : match.slice(0, match.findIndex((step) => step.by === by) + 1);
  const written = found.found === 'one' && writtenBefore(write) !== undefined && !mustRead([write]);
  const ways = new Set(tried.map((step) => (reads_together && step.by !== 'phone' ? 'read' : step.by)));
  return ways.size - (written ? 1 : 0);
}

/* Finds people for the port: one answer per question and in their order. */

/** @throws the failure of a look-up that failed */
export async function findPersons(
  { people: crm, records }: Pick<CrmAdapter, 'people' | 'records'>,
  persons: PersonQuestion[],
): Promise<PersonAnswer[]> {
  const wanted = persons.flatMap(({ properties, identify }) => [...properties, ...(identify ? crm.identifying : [])]);
  const questions = persons.map(({ match }, plan) => ({ match, plan, mustRead: () => true }));
  const found = await lookUpPeople(crm, questions, [...new Set(wanted)]);
  const answers = found.map((one) => toAnswer(crm, one));
  const addAlong = async (answer: PersonAnswer, index: number) => {
    const [question, one] = [persons[index], found[index]];
    if (answer.found !== 'one' || one?.found !== 'one' || !question) return;
    Object.assign(answer.person, await readAlong({ people: crm, records }, one.person, question, index));
  };
  await Promise.all(answers.map(addAlong));
  return answers;
}

/** The records that a question wants beside its person, asked for together. What cannot be read is left out. Never rejects. */
async function readAlong(
  { people, records }: Pick<CrmAdapter, 'people' | 'records'>,
  person: CrmPerson,
  wanted: PersonQuestion,
  plan: number,
): Promise<Pick<PersonRecord, 'related' | 'open'>> {
  const lists = Object.entries(wanted.related ?? {}).map(([name, one]) => ({ name, ...one, closed: true }));
  const firsts = Object.entries(wanted.open ?? {}).map(([name, properties]) => ({ name, properties }));
  const found = new Map<string, Properties[]>();
  const asking = [...lists, ...firsts].flatMap((question) => {
    const whose = people.relatedOf?.(person, question.name);
    if (!whose) found.set(question.name, []);
    return whose ? [{ ...question, ...whose, ids: new Map([[whose.id, [plan]]]) }] : [];
  });
  const answers = asking.length > 0 ? ((await records.readRelated?.(asking)) ?? []) : [];
  for (const [index, { name, id, properties }] of asking.entries()) {
    const all = answers[index]?.get(id) ?? [];
    if (all instanceof Failure)
      people.session.ctx.log.warn({ error: all.message }, `${name} of a caller could not be read`);
    else
      found.set(
        name,
        all.map((one) => pick({ ...one.properties, id: one.id }, properties)),
      );
  }
  const related = lists.filter(({ name }) => found.has(name));
  const open = firsts.filter(({ name }) => found.has(name));
  return {
    ...(lists.length > 0 && {
      related: Object.fromEntries(related.map(({ name, most }) => [name, found.get(name)?.slice(0, most) ?? []])),
    }),
    ...(firsts.length > 0 && {
      open: Object.fromEntries(open.map(({ name }) => [name, found.get(name)?.[0] ?? null])),
    }),
  };
}

function pick(values: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** What was found, as the port tells it. @throws the failure of a look-up that failed */
function toAnswer(crm: PeopleVerbs, found: MatchResult): PersonAnswer {
  if (found.found === 'failed') throw found.failure;
  if (found.found === 'none') return { found: 'none' };
  const how = { by: found.by, ...(found.said ? { said: found.said } : {}) };
  return found.found === 'one'
    ? { found: 'one', ...how, person: toRecord(crm, found.person) }
    : { found: 'many', ...how, candidates: found.people.map((person) => toRecord(crm, person)) };
}

function toRecord(crm: PeopleVerbs, person: CrmPerson): PersonRecord {
  const { object, id, properties } = person;
  const url = crm.urlOf(object, id);
  const who = summaryOf(crm.identityOf(person));
  return { object, id, properties, ...(url ? { url } : {}), ...(who ? { who } : {}) };
}

function summaryOf({ name, ...others }: PersonIdentity): ContactSummary | undefined {
  const texts = (values: PersonIdentity['name']) =>
    values.filter((value): value is string => typeof value === 'string' && value.trim() !== '');
  const firsts = Object.entries(others).map(([part, values]) => [part, texts(values)[0]]);
  const known = [['name', texts(name).join(' ')], ...firsts].filter(([, value]) => value);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
