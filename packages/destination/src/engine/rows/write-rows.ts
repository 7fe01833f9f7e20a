/**
 * Writes rows, and accounts for every one of them.
 *
 *   refused field     dropped, where the connection's policy allows it, and the row sent once more without it
 *   refused request   wrote nothing: the rows that the refusal names are taken out and the rest is sent again; when it
 *                     names none, the request is halved down to the bad row
 *   too much at once  sent again in smaller requests; the size that an object takes is remembered
 *   no answer in time not sent again here; the next requests are smaller
 *   a lock            sent again after a short pause, a few times
 *
 * Rows are ordered by object and parent and sent one request after another, so that one parent is not in two requests at
 * once: CRMs that lock it would refuse one of them. Of such a CRM (`shrinks`) people and their records are not written at
 * once either: see `write.ts`.
 */
import { asRequestFailure, type RequestFailure, unaccountedBy } from '../../http/request-failure.ts';
import type { Context } from '../../port/context.ts';
import type { Failure, FailureCode } from '../../port/failure.ts';
import { forgetOwners } from '../owners/owners.ts';
import type { Dropped } from '../plan/plan-write.ts';
import type { CrmRow, RowAnswer, RowAnswers, RowResult, RowVerb, RowWriter } from './row.ts';

/** How often fields may be dropped from one row before its refusal stands. */
const MAX_DROPS = 3;
/** How often a row is sent again after a lock. */
const MAX_LOCK_RETRIES = 2;
/** Longest pause before rows that met a lock are sent again. */
const LOCK_PAUSE_MS = 400;

/** Sends rows, of one object or several. Never rejects. */
export async function writeRows(crm: RowWriter, verb: RowVerb, rows: CrmRow[]): Promise<Map<CrmRow, RowResult>> {
  const results = new Map<CrmRow, RowResult>();
  let waiting = inOrder(rows).map((row): Sending => ({ original: row, row, dropped: [] }));
  for (let drops = 0, locks = 0; waiting.length > 0; ) {
    const again: Sending[] = [];
    let locked = false;
    const answers = await sendAll(
      crm,
      verb,
      waiting.map(({ row }) => row),
    );
    for (const sending of waiting) {
      const { original, row, dropped } = sending;
      const answer = answers.get(row) ?? unaccountedFor(verb, row);
      const refused = answer.ok || drops >= MAX_DROPS ? [] : await fieldsToDrop(crm, row, answer.failure);
      if (!answer.ok && refused.length > 0) again.push(drop(sending, refused, answer.failure));
      else if (
        !answer.ok &&
        crm.limits.shrinks &&
        isLock(answer.failure) &&
        locks < MAX_LOCK_RETRIES &&
        crm.session.usable
      ) {
        locked = true;
        again.push(sending);
      } else results.set(original, { ...answer, dropped, fields: row.fields });
    }
    waiting = again;
    if (locked) {
      locks += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LOCK_PAUSE_MS * locks));
    } else drops += 1;
  }
  return results;
}

interface Sending {
  original: CrmRow;
  row: CrmRow;
  dropped: Dropped[];
}

function drop({ original, row, dropped }: Sending, refused: string[], failure: RequestFailure): Sending {
  const fields = Object.fromEntries(Object.entries(row.fields).filter(([name]) => !refused.includes(name)));
  const now = refused.map((property) => ({ property, failure: failure.about(property) }));
  return { original, row: { ...row, fields }, dropped: [...dropped, ...now] };
}

async function fieldsToDrop(crm: RowWriter, row: CrmRow, failure: RequestFailure): Promise<string[]> {
  const { fields: named, code } = failure;
  if (named.length === 0 || named.some((field) => row.required.has(field))) return [];
  if (!crm.drops_fields && !named.every((field) => field === crm.owner)) return [];
  const known = code === 'missing_property' ? await crm.knownFields?.(row.object) : undefined;
  // A CRM may name one unknown field of several: all of them are dropped together.
  const refused = Object.keys(row.fields).filter(
    (field) => !row.required.has(field) && (named.includes(field) || (known !== undefined && !known.has(field))),
  );
  if (refused.includes(crm.owner)) await forgetOwners(crm.session.ctx).catch(() => {});
  return refused;
}

async function sendAll(crm: RowWriter, verb: RowVerb, rows: CrmRow[]): Promise<RowAnswers> {
  const groups = crm.limits.mixed ? [rows] : [...Map.groupBy(rows, ({ object }) => object).values()];
  const answers: RowAnswers = new Map();
  for (const group of groups) for (const [row, answer] of await sendGroup(crm, verb, group)) answers.set(row, answer);
  return answers;
}

/** Sends rows in as few requests as the CRM takes. */
async function sendGroup(crm: RowWriter, verb: RowVerb, rows: CrmRow[]): Promise<RowAnswers> {
  const { ctx } = crm.session;
  const { shrinks, rows: most, bytes } = crm.limits;
  const answers: RowAnswers = new Map();
  let limit = shrinks ? await readRowLimit(ctx, objectsOf(rows), most) : most;
  const queue = [...rows];
  let troubled = false;
  while (queue.length > 0) {
    const batch = queue.splice(0, bytes === undefined ? limit : fitting(queue, limit, bytes));
    const answered = await sendBatch(crm, verb, batch);
    const heavy = batch.filter((row) => isTooHeavy(answered.get(row)));
    // A limit takes the whole transaction with it; a lock that a few rows met is theirs, and passes.
    const whole = heavy.length * 2 >= batch.length;
    const passing = !whole && heavy.every((row) => isLock(failureOf(answered.get(row))));
    const split = heavy.length > 0 && !passing && limit > 1 && batch.length > 1 && crm.session.usable;
    if (split) {
      // What could not be taken at once is sent in halves, before anything else of its parents.
      limit = Math.max(1, Math.floor(Math.min(limit, batch.length) / 2));
      if (whole) {
        troubled = true;
        await shrinkRowLimit(ctx, objectsOf(heavy), limit);
      }
      queue.unshift(...heavy);
    }
    if (shrinks && batch.length > 1 && batch.every((row) => isLate(answered.get(row)))) {
      troubled = true;
      await shrinkRowLimit(ctx, objectsOf(batch), Math.floor(Math.min(limit, batch.length) / 2));
    }
    for (const row of batch)
      if (!split || !heavy.includes(row)) answers.set(row, answered.get(row) ?? unaccountedFor(verb, row));
    // Fewer rows may well be taken: the next attempt finds out, since this one can ask no more.
    if (batch.length > 1 && !crm.session.usable)
      for (const row of heavy) {
        const failure = failureOf(answers.get(row));
        if (failure?.next === 'park') answers.set(row, { ok: false, failure: later(failure) });
      }
  }
  if (shrinks && !troubled) await growRowLimit(ctx, objectsOf(rows), rows.length, most);
  return answers;
}

/** One request, and further ones for those whom its refusal as a whole is not about. */
async function sendBatch(crm: RowWriter, verb: RowVerb, rows: CrmRow[]): Promise<RowAnswers> {
  try {
    return await request(crm, verb, rows);
  } catch (thrown) {
    const failure = asRequestFailure(thrown);
    const refuse = (some: CrmRow[]): RowAnswers => new Map(some.map((row) => [row, { ok: false, failure }]));
    if (rows.length === 1 || !failure.vendor || !isAboutRows(failure)) return refuse(rows);
    const named = crm.rowsNamed(rows, failure);
    if (named.length === rows.length) return refuse(rows);
    if (named.length > 0) {
      const rest = rows.filter((row) => !named.includes(row));
      return new Map([...refuse(named), ...(await sendBatch(crm, verb, rest))]);
    }
    const [first, second] = halvesOf(rows);
    return new Map([...(await sendBatch(crm, verb, first)), ...(await sendBatch(crm, verb, second))]);
  }
}

function request(crm: RowWriter, verb: RowVerb, rows: CrmRow[]): Promise<RowAnswers> {
  if (verb === 'upsert' && crm.upsert) return crm.upsert(rows);
  return verb === 'update' ? crm.update(rows) : crm.create(rows);
}

const unaccountedFor = (verb: RowVerb, { object }: CrmRow): RowAnswer => ({
  ok: false,
  failure: unaccountedBy('the CRM', `${verb} ${object}`, true),
});

function failureOf(answer: RowAnswer | undefined): RequestFailure | undefined {
  return answer && !answer.ok ? answer.failure : undefined;
}

function isTooHeavy(answer: RowAnswer | undefined): boolean {
  return failureOf(answer)?.split_and_retry === true;
}

const later = (failure: RequestFailure) => asRequestFailure(failure.with({ next: 'retry' }));

/** No answer came in time: it may have been more than the account can do at once. */
function isLate(answer: RowAnswer | undefined): boolean {
  const failure = failureOf(answer);
  return failure?.code === 'timeout' && failure.outcome_unknown;
}

/** A lock that the CRM itself reported. */
function isLock(failure: RequestFailure | undefined): boolean {
  return failure?.code === 'locked' && failure.vendor !== undefined;
}

/** Rows of one object stand together, and within it those of one parent. */
function inOrder(rows: CrmRow[]): CrmRow[] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return rows.toSorted((a, b) => compare(a.object, b.object) || compare(a.parent ?? '', b.parent ?? ''));
}

function objectsOf(rows: CrmRow[]): string[] {
  return [...new Set(rows.map(({ object }) => object))];
}

/*
 * How many rows of an object one request may have: what the account's own automation takes. Whole requests at first;
 * halved when they run into a limit, and twice as many again after each request of full size that succeeded. A memory that
 * does not answer costs a request that is too large, and never a row: none of this throws.
 */

/** After so long full requests are tried again. */
const ROW_LIMIT_MS = 60 * 60_000;

const keyOf = (object: string) => `row-limit:${object}`;

/** The smallest limit of these objects. @param most rows that the CRM takes at all */
async function readRowLimit(ctx: Context, objects: string[], most: number): Promise<number> {
  const kept = await Promise.all(objects.map((object) => ctx.memory.get(keyOf(object)).catch(() => undefined)));
  return Math.min(most, ...kept.map((text) => Number(text) || most));
}

/** Whether full requests of the object were too much of late. */
export async function isShrunk({ memory }: Pick<Context, 'memory'>, object: string): Promise<boolean> {
  return (await memory.get(keyOf(object))) !== undefined;
}

async function shrinkRowLimit(ctx: Context, objects: string[], rows: number): Promise<void> {
  const shrink = (object: string) => ctx.memory.set(keyOf(object), String(Math.max(1, rows)), ROW_LIMIT_MS);
  await Promise.all(objects.map((object) => shrink(object).catch(() => {})));
}

/** @param rows that went through: only a full request shows that more may fit */
async function growRowLimit(ctx: Context, objects: string[], rows: number, most: number): Promise<void> {
  const grow = async (object: string) => {
    const kept = Number(await ctx.memory.get(keyOf(object)));
    if (!kept || rows < kept) return;
    if (kept * 2 >= most) await ctx.memory.delete(keyOf(object));
    else await ctx.memory.set(keyOf(object), String(kept * 2), ROW_LIMIT_MS);
  };
  await Promise.all(objects.map((object) => grow(object).catch(() => {})));
}

/* What adapters share of sending many rows in few requests. Pure. */

const ABOUT_ROWS: ReadonlySet<FailureCode> = new Set([
  'invalid_field',
  'missing_property',
  'conflict',
  'gone',
  'refused',
  'bad_request',
]);

/** True when the refusal of a whole request says something about single rows, and the others may well be taken. */
function isAboutRows({ code, next }: Failure): boolean {
  return ABOUT_ROWS.has(code) && next !== 'reauthenticate';
}

/** Bytes of the row's fields as they are sent. */
export function bytesOf({ fields }: Pick<CrmRow, 'fields'>): number {
  return Buffer.byteLength(JSON.stringify(fields));
}

/** How many of the first rows one request takes: one at least, which may be too large for any. */
function fitting(rows: readonly CrmRow[], limit: number, bytes: number): number {
  let count = 0;
  for (let size = 0; count < Math.min(limit, rows.length); count += 1) {
    size += bytesOf(rows[count] as CrmRow);
    if (size > bytes) break;
  }
  return Math.max(1, count);
}

/** The first half is the larger one. */
export function halvesOf<T>(items: T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

/** Parts of `size` items at most, in their order. */
export function chunk<T>(items: T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
