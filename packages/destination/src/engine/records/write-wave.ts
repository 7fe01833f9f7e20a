/**
 * Writes the records of one wave, each once.
 *
 * A first attempt creates them, with their key. Whatever is in doubt (a retry, a lost answer, a success without a result, a
 * key that is taken) is upserted by its key where the CRM can, else read by it: what is there is updated, what is not is
 * created. When the account refuses the key itself, the next strategy of the ladder takes over.
 */
import { needsReading, type RecordPlan } from '@wrapup/mapping';
import { asRequestFailure, type RequestFailure } from '../../http/request-failure.ts';
import type { RecordReceipt } from '../../port/destination.ts';
import { Failure } from '../../port/failure.ts';
import {
  type Dropped,
  decideFields,
  type PlanReport,
  type PlanWrite,
  reportDropped,
  withoutNewer,
} from '../plan/plan-write.ts';
import type { CrmRow, RowVerb } from '../rows/row.ts';
import { writeRows } from '../rows/write-rows.ts';
import type { Existing, Item, KeyStrategy, RecordReading, RecordVerbs, Reservation, Written } from './record-verbs.ts';

/** What became of items. Each is in one of the first four. */
interface Attempt {
  written: Written[];
  failed: [Item, Failure][];
  /** The account refused their key. */
  refused: [Item, RequestFailure][];
  /** Whether they are there is open. */
  unsure: [Item, RequestFailure][];
  reports: PlanReport[];
}

const nothing = (): Attempt => ({ written: [], failed: [], refused: [], unsure: [], reports: [] });

function join(...attempts: Attempt[]): Attempt {
  return {
    written: attempts.flatMap(({ written }) => written),
    failed: attempts.flatMap(({ failed }) => failed),
    refused: attempts.flatMap(({ refused }) => refused),
    unsure: attempts.flatMap(({ unsure }) => unsure),
    reports: attempts.flatMap(({ reports }) => reports),
  };
}

export interface WaveResult {
  /** Written and linked. */
  written: Written[];
  failed: ReadonlyMap<Item, Failure>;
  reports: PlanReport[];
}

/** Never rejects. */
export async function writeWave(crm: RecordVerbs, items: Item[]): Promise<WaveResult> {
  const isShared = ({ record }: Item) => crm.sharedKey?.(record) !== undefined;
  const groups = joinShared(items, isShared);
  const leads = groups.map(({ lead }) => lead);
  const shared = await writeShared(crm, leads.filter(isShared));
  const own = await writeByLadder(crm, [...leads.filter((item) => !isShared(item)), ...shared.absent]);
  await crm.rememberShared?.(own.written.filter(({ item }) => isShared(item)));
  const { written, failed, reports } = join(shared.attempt, own);
  const ended = new Map(failed);
  for (const { lead, followers } of groups) {
    const made = written.find(({ item }) => item === lead);
    const failure = ended.get(lead);
    for (const item of followers) {
      const receipt = made && { ...made.receipt, name: item.record.name, did: 'unchanged' as const };
      if (receipt) written.push({ item, receipt, linked: false, cut: new Map() });
      else if (failure) ended.set(item, failure);
    }
  }
  const { failed: unlinked, notes } = (await crm.associate?.(written)) ?? {
    failed: new Map<Item, Failure>(),
    notes: [],
  };
  for (const [item, failure] of unlinked) ended.set(item, failure);
  return {
    written: written.filter(({ item }) => !unlinked.has(item)),
    failed: ended,
    reports: [...reports, ...notes.map(([{ write }, note]) => ({ plan: write.index, note }))],
  };
}

/** One item that stands for all, and the others. */
interface SharedItems {
  lead: Item;
  followers: Item[];
}

/** Items by what they mean: those of one shared key together, every other one by itself. */
function joinShared(items: Item[], isShared: (item: Item) => boolean): SharedItems[] {
  const groups = Map.groupBy(items, (item) => (isShared(item) ? `${item.record.object} ${item.record.key}` : item));
  return [...groups.values()].map((group) => ({ lead: joinFields(group), followers: group.slice(1) }));
}

/** The first call stands for all: gaps are filled by the earliest, what may be overwritten by the last. */
function joinFields(group: Item[]): Item {
  const lead = group[0] as Item;
  if (group.length === 1) return lead;
  const fields = new Map<string, RecordPlan['fields'][number]>();
  for (const { record } of group.toSorted((a, b) => a.write.ended_at - b.write.ended_at))
    for (const field of record.fields)
      if (!fields.has(field.name) || field.write === 'overwrite') fields.set(field.name, field);
  return { ...lead, record: { ...lead.record, fields: [...fields.values()] } };
}

/** Updates shared records that are there, ours or not. */
async function writeShared(crm: RecordVerbs, items: Item[]): Promise<{ attempt: Attempt; absent: Item[] }> {
  if (items.length === 0) return { attempt: nothing(), absent: [] };
  const readings = (await crm.findShared?.(items)) ?? new Map<Item, RecordReading>();
  const { there, absent, failed } = sort(items, readings);
  return { attempt: join({ ...nothing(), failed }, await update(crm, undefined, there)), absent };
}

function sort(items: Item[], readings: ReadonlyMap<Item, RecordReading>) {
  const there: [Item, Existing][] = [];
  const absent: Item[] = [];
  const failed: [Item, RequestFailure][] = [];
  for (const item of items) {
    const reading = readings.get(item) ?? 'absent';
    if (reading === 'absent') absent.push(item);
    else if (reading instanceof Failure) failed.push([item, asRequestFailure(reading)]);
    else there.push([item, reading]);
  }
  return { there, absent, failed };
}

/** By the first strategy that the account allows; each object of an account stands on its own. */
async function writeByLadder(crm: RecordVerbs, items: Item[]): Promise<Attempt> {
  let done = nothing();
  const inForce = new Map<string, KeyStrategy>();
  for (let open = items; open.length > 0; ) {
    const { usable, failed } = await strategiesOf(crm, open, inForce);
    const attempt = join({ ...nothing(), failed }, await writeByStrategies(crm, usable));
    done = join(done, { ...attempt, refused: [] });
    open = [];
    for (const [object, refused] of Map.groupBy(attempt.refused, ([{ record }]) => record.object)) {
      const from = inForce.get(object);
      const next = from && (await crm.keys.stepDown?.(object, from))?.next;
      if (next) {
        inForce.set(object, next);
        open.push(...refused.map(([item]) => item));
      } else done.failed.push(...refused.map(([item, failure]): [Item, Failure] => [item, crm.keys.explain(failure)]));
    }
  }
  return done;
}

/** Without a way to find it again a record is not written: a repeat could not be distinguished from a first time. */
async function strategiesOf(crm: RecordVerbs, items: Item[], inForce: Map<string, KeyStrategy>) {
  const usable = new Map<KeyStrategy, Item[]>();
  const failed: [Item, Failure][] = [];
  for (const [object, all] of Map.groupBy(items, ({ record }) => record.object)) {
    try {
      const strategy = inForce.get(object) ?? (await crm.keys.strategyFor(object));
      inForce.set(object, strategy);
      usable.set(strategy, [...(usable.get(strategy) ?? []), ...all]);
    } catch (thrown) {
      failed.push(...all.map((item): [Item, Failure] => [item, Failure.of(thrown)]));
    }
  }
  return { usable, failed };
}

async function writeByStrategies(crm: RecordVerbs, items: ReadonlyMap<KeyStrategy, Item[]>): Promise<Attempt> {
  const releases: (() => Promise<void>)[] = [];
  const first = new Map<Item, KeyStrategy>();
  const doubtful = new Map<Item, KeyStrategy>();
  let done = nothing();
  try {
    const claims = new Map<KeyStrategy, Reservation | undefined>();
    const lost = new Map<PlanWrite, Failure>();
    for (const [strategy, all] of items) {
      const claim = await strategy.claim?.(all);
      claims.set(strategy, claim);
      if (claim) releases.push(claim.release);
      for (const [{ write }, failure] of claim?.failed ?? []) lost.set(write, failure);
    }
    for (const [strategy, all] of items)
      for (const item of all) {
        // A plan of which one record is another delivery's at this moment waits with all of them.
        const failure = lost.get(item.write);
        if (failure) done.failed.push([item, failure]);
        // Anything may have been written before: by this delivery, or by the one that holds the key.
        else if (item.write.plan.resume || claims.get(strategy)?.doubtful.has(item)) doubtful.set(item, strategy);
        else first.set(item, strategy);
      }
    const created = await create(crm, first);
    for (const [item] of created.unsure) {
      const strategy = first.get(item);
      if (strategy) doubtful.set(item, strategy);
    }
    done = join(done, { ...created, unsure: [] });
    for (const [strategy, all] of Map.groupBy(doubtful, ([, strategy]) => strategy)) {
      const settle = strategy.upserts ? settleByUpsert : settleByReading;
      done = join(
        done,
        await settle(
          crm,
          strategy,
          all.map(([item]) => item),
        ),
      );
    }
    for (const [strategy, all] of items)
      await strategy.confirm?.(done.written.filter(({ item }) => all.includes(item)));
    return done;
  } finally {
    for (const release of releases) await release();
  }
}

/** Reads what is in doubt; updates what is there, and creates what is not. */
async function settleByReading(crm: RecordVerbs, strategy: KeyStrategy, items: Item[]): Promise<Attempt> {
  let done = nothing();
  // A delivery that creates the same record at this moment is met once; afterwards it is there to be read.
  for (let open = items, last = false; open.length > 0; last = true) {
    const { there, absent, failed } = sort(open, await strategy.read(open));
    const updated = await update(crm, strategy, there);
    const created = await create(crm, new Map(absent.map((item) => [item, strategy])));
    done = join(done, byRefusal(crm, failed), updated, { ...created, unsure: [] });
    open = last ? [] : created.unsure.map(([item]) => item);
    if (last)
      done.failed.push(...created.unsure.map(([item, failure]): [Item, Failure] => [item, crm.keys.explain(failure)]));
  }
  return done;
}

/** A look that failed: the record's failure, or the key's. */
function byRefusal(crm: RecordVerbs, failed: [Item, RequestFailure][]): Attempt {
  const isKey = ([{ record }, failure]: [Item, RequestFailure]) =>
    crm.keys.isKeyRefused?.(record.object, failure) === true;
  return { ...nothing(), refused: failed.filter(isKey), failed: failed.filter((one) => !isKey(one)) };
}

async function settleByUpsert(crm: RecordVerbs, strategy: KeyStrategy, items: Item[]): Promise<Attempt> {
  const careful = items.filter(({ record }) => needsReading(record.fields));
  const { there, failed } = sort(careful, careful.length > 0 ? await strategy.read(careful) : new Map());
  let done = byRefusal(crm, failed);
  const unread = new Set(failed.map(([item]) => item));
  const known = new Map(there);
  // A race for one new key is lost once: after that its owner exists and is updated.
  for (let open = items.filter((item) => !unread.has(item)), last = false; open.length > 0; last = true) {
    const rows = open.map((item): Drafted => {
      // Keyed as if it were created: the row carries the key, and no id.
      const made = makeRow(crm, item, known.get(item));
      const { id: _, targets: __, ...row }: CrmRow = made.row ?? bareRow(item);
      return { item, made: { ...made, row: strategy.keyed({ ...row, key: item.record.key }, item.record) } };
    });
    const sent = await send(crm, 'upsert', rows);
    done = join(done, { ...sent, unsure: [] });
    const again = last ? [] : sent.unsure.filter(([, { code }]) => code === 'conflict');
    open = again.map(([item]) => item);
    done.failed.push(
      ...sent.unsure
        .filter((one) => !again.includes(one))
        .map(([item, failure]): [Item, Failure] => [item, crm.keys.explain(failure)]),
    );
  }
  return done;
}

function bareRow({ write, record }: Item): CrmRow {
  return { object: record.object, fields: {}, plans: [write.index], required: new Set() };
}

interface Drafted {
  item: Item;
  made: RecordRow;
}

/** Creates them, with what the CRM links on creation. */
function create(crm: RecordVerbs, items: ReadonlyMap<Item, KeyStrategy>): Promise<Attempt> {
  const rows = [...items].map(([item, strategy]): Drafted => {
    const made = makeRow(crm, item, undefined);
    return { item, made: made.row ? { ...made, row: strategy.keyed(made.row, item.record) } : made };
  });
  return send(crm, 'create', rows);
}

/** Writes onto records that are there. */
async function update(
  crm: RecordVerbs,
  strategy: KeyStrategy | undefined,
  there: [Item, Existing][],
): Promise<Attempt> {
  const rows = there.map(([item, existing]): Drafted => {
    const made = makeRow(crm, item, existing);
    return { item, made: made.row && strategy ? { ...made, row: strategy.keyed(made.row, item.record) } : made };
  });
  const ids = new Map(there.map(([item, { id }]) => [item, id]));
  const { unsure, ...rest } = await send(crm, 'update', rows, ids);
  return { ...rest, unsure: [], failed: [...rest.failed, ...unsure] };
}

/** @param ids of records that are there: those of which nothing is to be written are `unchanged` */
async function send(
  crm: RecordVerbs,
  verb: RowVerb,
  drafts: Drafted[],
  ids: ReadonlyMap<Item, string> = new Map(),
): Promise<Attempt> {
  const attempt = nothing();
  const rows = new Map<CrmRow, Drafted>();
  const written = ({ item, made }: Drafted, id: string, did: RecordReceipt['did']) =>
    attempt.written.push({ item, receipt: receiptOf(crm, item, id, did), linked: verb === 'create', cut: made.cut });
  for (const draft of drafts) {
    const { item, made } = draft;
    const { write, record } = item;
    attempt.reports.push(...reportDropped(write, record.name, made.dropped));
    attempt.reports.push(...made.notes.map((note) => ({ plan: write.index, note })));
    if (made.refused) attempt.failed.push([item, made.refused]);
    else if (made.row) rows.set(made.row, draft);
    else written(draft, ids.get(item) ?? '', 'unchanged');
  }
  for (const [row, result] of await writeRows(crm, verb, [...rows.keys()])) {
    const draft = rows.get(row);
    if (!draft) continue;
    const { write, record } = draft.item;
    attempt.reports.push(...reportDropped(write, record.name, result.dropped));
    if (result.ok) written(draft, result.id, result.created ? 'created' : 'updated');
    else if (crm.keys.isKeyRefused?.(record.object, result.failure)) attempt.refused.push([draft.item, result.failure]);
    else if (crm.session.usable && (result.failure.outcome_unknown || result.failure.code === 'conflict'))
      attempt.unsure.push([draft.item, result.failure]);
    else attempt.failed.push([draft.item, crm.keys.explain(result.failure)]);
  }
  return attempt;
}

export function receiptOf(
  crm: Pick<RecordVerbs, 'urlOf'>,
  { record: { name, object } }: Pick<Item, 'record'>,
  id: string,
  did: RecordReceipt['did'],
): RecordReceipt {
  const url = crm.urlOf(object, id);
  return { name, object, id, did, ...(url ? { url } : {}) };
}

/* One record of a plan as a row: its fields as the CRM takes them and the write modes allow, its links. Pure. */

interface RecordRow {
  /** Absent: the record says all of it already, or it is refused. */
  row?: CrmRow;
  refused?: Failure;
  dropped: Dropped[];
  notes: string[];
  /** Whole texts that were cut to fit, by field. */
  cut: ReadonlyMap<string, string>;
}

/** @param there the record that exists; undefined for one that is to be created, as far as is known */
function makeRow(
  crm: Pick<RecordVerbs, 'fields' | 'implied' | 'requiredOf' | 'linkFields'>,
  { write, record, targets }: Item,
  there: Existing | undefined,
): RecordRow {
  const { object } = record;
  const verb = there ? 'update' : 'create';
  const required = crm.requiredOf(record);
  const planned = withoutNewer([...record.fields, ...(crm.implied?.(write, record, verb) ?? [])]);
  const { fields, dropped, refused, cut } = crm.fields.fit?.(object, planned, { verb, required }) ?? {
    fields: planned,
    dropped: [],
    cut: new Map(),
  };
  if (refused) return { refused, dropped, notes: [], cut };
  const call = { key: write.plan.key, ended_at: write.ended_at, watermark: undefined };
  const values: Record<string, unknown> = {};
  for (const { applies, field, to } of decideFields(fields, there?.properties, call, (name) =>
    crm.fields.limitOf(object, name),
  )) {
    const value = crm.fields.encode(object, field, to);
    if (applies && (there || (value !== null && value !== ''))) values[field.name] = value;
  }
  const links = crm.linkFields?.(object, targets, there) ?? { fields: {}, notes: [] };
  Object.assign(values, links.fields);
  const rest = { dropped, notes: links.notes, cut };
  if (there && Object.keys(values).length === 0) return rest;
  const row: CrmRow = {
    object,
    ...(there ? { id: there.id } : { key: record.key, targets }),
    fields: values,
    ...(links.parent === undefined ? {} : { parent: links.parent }),
    plans: [write.index],
    required,
  };
  return { ...rest, row };
}
