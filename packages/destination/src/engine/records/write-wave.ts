/**
 * Writes the records of one wave, each once.
 *
 * A first attempt creates them, with their key. Whatever is in doubt (a retry, a lost answer, a success without a result, a
 * key that is taken) is upserted by its key where the CRM can, else read by it: what is there is updated, what is not is
 * created. When the account refuses the key itself, the next strategy of the ladder takes over.
 */
import { needsReading } from '@wrapup/mapping';
import { asRequestFailure, type RequestFailure } from '../../http/request-failure.ts';
import { Failure } from '../../port/failure.ts';
import type { RecordReceipt } from '../../port/receipt.ts';
import {
  type Existing,
  type PlanReport,
  type PlanWrite,
  receiptOf,
  reportDropped,
  withFirstCause,
} from '../plan/plan-write.ts';
import type { CrmRow, RowVerb } from '../rows/row.ts';
import { writeRows } from '../rows/write-rows.ts';
import { type NoteNames, recallWritten, recordMemory, settleRow, type WrittenValues } from '../rows/written-values.ts';
import type { ReadAhead } from './read-ahead.ts';
import { makeRow, noteLinks, type RecordRow, toWritten } from './record-row.ts';
import type {
  Associated,
  Item,
  KeyStrategy,
  RecordReading,
  RecordVerbs,
  Reservation,
  Written,
} from './record-verbs.ts';
import { joinShared } from './shared-key.ts';

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

/** What the steps of a wave work with: the verbs, and what is noted of what was written to its records. */
interface Wave extends RecordVerbs {
  values: WrittenValues;
  ahead: ReadAhead;
}

/** Never rejects. @param ahead what was read of records while their people were looked up */
export async function writeWave(verbs: RecordVerbs, items: Item[], ahead: ReadAhead): Promise<WaveResult> {
  let values: WrittenValues;
  try {
    values = await recallWritten(verbs.session.ctx, items.map(notesOf));
  } catch (thrown) {
    return { written: [], failed: new Map(items.map((item) => [item, Failure.of(thrown)])), reports: [] };
  }
  const crm: Wave = { ...verbs, values, ahead };
  const isShared = ({ record }: Item) => crm.sharedKey?.(record) !== undefined;
  const groups = joinShared(items, isShared);
  const leads = groups.map(({ lead }) => lead);
  const there = leads.flatMap((item): [Item, Existing][] => {
    const found = foundOf(item);
    return found ? [[item, found]] : [];
  });
  const own = leads.filter((item) => !isShared(item) && !foundOf(item));
  const { written, failed, reports } = join(
    ...(await Promise.all([
      writeShared(crm, leads.filter(isShared)),
      update(crm, undefined, there),
      writeByLadder(crm, own),
    ])),
  );
  const ended = new Map(failed);
  for (const { lead, followers } of groups) {
    const made = written.find(({ item }) => item === lead);
    const failure = ended.get(lead);
    for (const item of followers) {
      const receipt = made && { ...made.receipt, name: item.record.name, did: 'unchanged' as const };
      if (receipt) written.push(toWritten(crm.values, item, receipt, { linked: false, cut: new Map(), left: [] }));
      else if (failure) ended.set(item, failure);
    }
  }
  const associated: Associated = (await crm.associate?.(written)) ?? { failed: new Map(), notes: [] };
  const { failed: unlinked, notes } = associated;
  await noteLinks(crm.values, written, associated);
  for (const [item, failure] of unlinked) ended.set(item, failure);
  return {
    written: written.filter(({ item }) => !unlinked.has(item)),
    failed: ended,
    reports: [...reports, ...notes.map(([{ write }, note]) => ({ plan: write.index, note }))],
  };
}

/** What `find:` found for the record. */
function foundOf({ write, record }: Item): Existing | undefined {
  return write.found?.get(record.name);
}

/** Under which names it is noted what was written to a record: one that was found may have been made under a key of ours. */
export function notesOf({ write, record }: Pick<Item, 'write' | 'record'>): NoteNames {
  const key = write.found?.get(record.name)?.key;
  const others = key === undefined ? [] : [recordMemory({ object: record.object, key })];
  return { name: recordMemory(record), others };
}

/** Updates shared records that are there, ours or not, and creates the others. */
async function writeShared(crm: Wave, items: Item[]): Promise<Attempt> {
  if (items.length === 0) return nothing();
  const readings = (await crm.findShared?.(items)) ?? new Map<Item, RecordReading>();
  const { there, absent, failed } = sort(items, readings);
  const [updated, created] = await Promise.all([update(crm, undefined, there), writeByLadder(crm, absent)]);
  await crm.rememberShared?.(created.written);
  return join({ ...nothing(), failed }, updated, created);
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
async function writeByLadder(crm: Wave, items: Item[]): Promise<Attempt> {
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
async function strategiesOf(crm: Wave, items: Item[], inForce: Map<string, KeyStrategy>) {
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

async function writeByStrategies(crm: Wave, items: ReadonlyMap<KeyStrategy, Item[]>): Promise<Attempt> {
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
        else if (item.write.plan.resume || item.record.own_key || claims.get(strategy)?.doubtful.has(item))
          // Another call may have made it.
          doubtful.set(item, strategy);
        else first.set(item, strategy);
      }
    const [created, known] = await Promise.all([create(crm, first), settleDoubtful(crm, doubtful)]);
    const unsure = new Set(created.unsure.map(([item]) => item));
    const healed = await settleDoubtful(crm, new Map([...first].filter(([item]) => unsure.has(item))));
    done = join(done, { ...created, unsure: [] }, known, healed);
    for (const [strategy, all] of items)
      await strategy.confirm?.(done.written.filter(({ item }) => all.includes(item)));
    return done;
  } finally {
    for (const release of releases) await release();
  }
}

/** Of records that may be there already, each by its strategy. */
async function settleDoubtful(crm: Wave, items: ReadonlyMap<Item, KeyStrategy>): Promise<Attempt> {
  const settling = [...Map.groupBy(items, ([, strategy]) => strategy)].flatMap(([strategy, all]) => {
    const isCareful = ([{ record }]: [Item, KeyStrategy]) => !strategy.upserts || needsReading(record.fields);
    const read = all.filter(isCareful).map(([item]) => item);
    const upserted = all.filter((one) => !isCareful(one)).map(([item]) => item);
    return [settleByReading(crm, strategy, read), settleByUpsert(crm, strategy, upserted)];
  });
  return join(...(await Promise.all(settling)));
}

/** Reads what is in doubt; updates what is there, and creates what is not. */
async function settleByReading(crm: Wave, strategy: KeyStrategy, items: Item[]): Promise<Attempt> {
  let done = nothing();
  // A delivery that creates the same record at this moment is met once; afterwards it is there to be read.
  for (let open = items, last = false; open.length > 0; last = true) {
    const ahead = last ? new Map<Item, RecordReading>() : crm.ahead.take(strategy, open);
    const unread = open.filter((item) => !ahead.has(item));
    const read = unread.length > 0 ? await strategy.read(unread) : [];
    const { there, absent, failed } = sort(open, new Map([...ahead, ...read]));
    const [updated, created] = await Promise.all([
      update(crm, strategy, there),
      create(crm, new Map(absent.map((item) => [item, strategy]))),
    ]);
    done = join(done, byRefusal(crm, failed), updated, { ...created, unsure: [] });
    open = last ? [] : created.unsure.map(([item]) => item);
    if (last)
      done.failed.push(...created.unsure.map(([item, failure]): [Item, Failure] => [item, crm.keys.explain(failure)]));
  }
  return done;
}

/** A look that failed: the record's failure, or the key's. */
function byRefusal(crm: Wave, failed: [Item, RequestFailure][]): Attempt {
  const isKey = ([{ record }, failure]: [Item, RequestFailure]) =>
    crm.keys.isKeyRefused?.(record.object, failure) === true;
  return { ...nothing(), refused: failed.filter(isKey), failed: failed.filter((one) => !isKey(one)) };
}

/** Of records whose fields are written whatever stands there. */
async function settleByUpsert(crm: Wave, strategy: KeyStrategy, items: Item[]): Promise<Attempt> {
  let done = nothing();
  // A race for one new key is lost once: after that its owner exists and is updated.
  for (let open = items, last = false; open.length > 0; last = true) {
    const rows = open.map((item): Drafted => {
      // Keyed as if it were created: the row carries the key, and no id.
      const made = makeRow(crm, item, undefined);
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
function create(crm: Wave, items: ReadonlyMap<Item, KeyStrategy>): Promise<Attempt> {
  const rows = [...items].map(([item, strategy]): Drafted => {
    const made = makeRow(crm, item, undefined);
    return { item, made: made.row ? { ...made, row: strategy.keyed(made.row, item.record) } : made };
  });
  return send(crm, 'create', rows);
}

/** Writes onto records that are there. */
async function update(crm: Wave, strategy: KeyStrategy | undefined, there: [Item, Existing][]): Promise<Attempt> {
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
  crm: Wave,
  verb: RowVerb,
  drafts: Drafted[],
  ids: ReadonlyMap<Item, string> = new Map(),
): Promise<Attempt> {
  const attempt = nothing();
  const rows = new Map<CrmRow, Drafted>();
  const written = ({ item, made: { cut, left } }: Drafted, id: string, did: RecordReceipt['did']) =>
    attempt.written.push(
      toWritten(crm.values, item, receiptOf(crm, item.record, id, did), { linked: verb === 'create', cut, left }),
    );
  for (const draft of drafts) {
    const { item, made } = draft;
    const { write, record } = item;
    attempt.reports.push(...reportDropped(write, record.name, made.dropped));
    attempt.reports.push(...made.notes.map((note) => ({ plan: write.index, note })), ...made.reports);
    if (made.refused) attempt.failed.push([item, made.refused]);
    else if (made.row) rows.set(made.row, draft);
    else written(draft, ids.get(item) ?? '', 'unchanged');
  }
  await intend(crm, rows, attempt);
  const results = [...(await writeRows(crm, verb, [...rows.keys()]))].flatMap(([row, result]) => {
    const draft = rows.get(row);
    return draft ? [{ draft, result }] : [];
  });
  const settleDraft = ({ draft: { item }, result }: (typeof results)[number]) =>
    settleRow(crm.values, crm.fields, { name: recordMemory(item.record), object: item.record.object }, result);
  await Promise.all(results.map(settleDraft));
  for (const { draft, result } of results) {
    const { write, record } = draft.item;
    const found = foundOf(draft.item);
    if (result.ok && found) Object.assign(found.properties, result.fields);
    attempt.reports.push(...reportDropped(write, record.name, result.dropped));
    if (result.ok) written(draft, result.id, result.created ? 'created' : 'updated');
    else if (crm.keys.isKeyRefused?.(record.object, result.failure)) attempt.refused.push([draft.item, result.failure]);
    else if (crm.session.usable && (result.failure.outcome_unknown || result.failure.code === 'conflict'))
      attempt.unsure.push([draft.item, result.failure]);
    else {
      const dropped = [...draft.made.dropped, ...result.dropped];
      attempt.failed.push([draft.item, withFirstCause(crm.keys.explain(result.failure), dropped)]);
    }
  }
  return attempt;
}

/** Notes what is about to be written; what cannot be noted is not written. */
async function intend({ values }: Wave, rows: Map<CrmRow, Drafted>, attempt: Attempt): Promise<void> {
  const note = async ([row, { item, made }]: [CrmRow, Drafted]) => {
    const { write, record } = item;
    try {
      await values.intend(recordMemory(record), made.remembered, { key: write.plan.key, ended_at: write.ended_at });
    } catch (thrown) {
      rows.delete(row);
      attempt.failed.push([item, Failure.of(thrown)]);
    }
  };
  await Promise.all([...rows].map(note));
}
