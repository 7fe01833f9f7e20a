/**
 * Collections in which every row is accounted for.
 *
 * A 2xx is not success: results stand in the order of the rows, and each is read. What no result speaks of is
 * `unaccounted`. Rows that name a field which the org refuses are sent once more without it, where the connection's policy
 * allows that. Rows that met a lock, or a limit of the org's own automation, are sent again in smaller requests: such a
 * limit holds for a whole request, so the size that an object takes is remembered, halved on trouble, and grows again.
 *
 * Rows are ordered by their parent and sent one request after another, so that one parent is not in two requests at once:
 * Salesforce locks it for each. https://help.salesforce.com/s/articleView?id=005226737&type=1
 */
import {
  asObject,
  asText,
  DROPS,
  type Dropped,
  forgetOwners,
  halvesOf,
  isAboutRows,
} from '@wrapup/destination/delivery';
import { COLLECTION, type CollectionRow, writeRows } from './api.ts';
import { asSalesforceFailure, failureOf, type SalesforceFailure, unaccounted } from './errors.ts';
import { OWNER } from './objects.ts';
import { growRowLimit, readRowLimit, shrinkRowLimit } from './row-limit.ts';
import { forgetObject } from './schema.ts';
import type { Session } from './session.ts';
import { readRowErrors } from './vendor-error.ts';

export interface Row extends CollectionRow {
  /** Record that Salesforce locks for it: rows of one parent go together. */
  parent?: string;
  /** Numbers of the plans that it serves. */
  plans: number[];
  /** Fields that must not be dropped. */
  required: ReadonlySet<string>;
}

export type Verb = 'create' | 'update';

export type RowResult =
  | { ok: true; id: string; dropped: Dropped[] }
  | { ok: false; failure: SalesforceFailure; dropped: Dropped[] };

export interface RowPolicy {
  /** Leave refused fields out and send the rest. */
  drop: boolean;
  headers(verb: Verb): Record<string, string>;
}

/** How often a row is sent again after a lock. */
const LOCKED_AGAIN = 2;
/** Ms of pause before rows that met a lock are sent again, at most. */
const LOCK_PAUSE = 400;

/** Dropped when it is refused, also where the policy parks: whom a record belongs to never fails it. */
const ALWAYS_DROPPED: ReadonlySet<string> = new Set([OWNER]);

/** Sends rows, of one object or several, and says what became of each. Never rejects. */
export async function sendRows(
  session: Session,
  verb: Verb,
  rows: Row[],
  policy: RowPolicy,
): Promise<Map<Row, RowResult>> {
  const results = new Map<Row, RowResult>();
  const dropped = new Map<Row, Dropped[]>(rows.map((row) => [row, []]));
  let waiting = inOrder(rows);
  for (let drops = 0, locks = 0; waiting.length > 0; ) {
    const again = new Set<Row>();
    let locked = false;
    const size = await readRowLimit(session.ctx, objectsOf(waiting));
    for (const [row, sent] of await sendBatches(session, verb, waiting, size, policy)) {
      const known = dropped.get(row) ?? [];
      const refused = sent.ok ? [] : droppable(row, sent.failure, policy);
      if (!sent.ok && refused.length > 0 && drops < DROPS) {
        if (refused.includes(OWNER)) await forgetOwners(session.ctx).catch(() => {});
        if (sent.failure.code === 'missing_property') await forgetObject(session.ctx, row.object).catch(() => {});
        for (const field of refused) {
          delete row.fields[field];
          known.push({ property: field, failure: sent.failure });
        }
        again.add(row);
      } else if (
        !sent.ok &&
        sent.failure.code === 'locked' &&
        sent.failure.vendor &&
        locks < LOCKED_AGAIN &&
        session.usable
      ) {
        locked = true;
        again.add(row);
      } else results.set(row, { ...sent, dropped: known });
    }
    waiting = waiting.filter((row) => again.has(row));
    if (locked) {
      locks += 1;
      await pause(Math.random() * LOCK_PAUSE * locks);
    } else drops += 1;
  }
  return results;
}

type Sent = Map<Row, { ok: true; id: string } | { ok: false; failure: SalesforceFailure }>;

async function sendBatches(session: Session, verb: Verb, rows: Row[], size: number, policy: RowPolicy): Promise<Sent> {
  const sent: Sent = new Map();
  let limit = Math.min(size, COLLECTION);
  const queue = [...rows];
  let troubled = false;
  while (queue.length > 0) {
    const batch = queue.splice(0, limit);
    const answers = await sendBatch(session, verb, batch, policy);
    const heavy = batch.filter((row) => isTooHeavy(answers.get(row)));
    // A limit takes the whole transaction with it; a lock that a few rows met is theirs, and passes.
    const whole = heavy.length * 2 >= batch.length;
    const passing = !whole && heavy.every((row) => isLocked(answers.get(row)));
    if (heavy.length > 0 && !passing && limit > 1 && batch.length > 1 && session.usable) {
      // What the org could not take at once is sent in halves, before anything else of its parents.
      limit = Math.max(1, Math.floor(Math.min(limit, batch.length) / 2));
      if (whole) {
        troubled = true;
        await shrinkRowLimit(session.ctx, objectsOf(heavy), limit);
      }
      queue.unshift(...heavy);
      for (const row of batch) if (!heavy.includes(row)) sent.set(row, answers.get(row) ?? nothingSaid(verb, row));
      continue;
    }
    for (const row of batch) sent.set(row, answers.get(row) ?? nothingSaid(verb, row));
  }
  if (!troubled) await growRowLimit(session.ctx, objectsOf(rows), rows.length);
  return sent;
}

function isTooHeavy(answer: Sent extends Map<Row, infer A> ? A | undefined : never): boolean {
  return answer !== undefined && !answer.ok && answer.failure.smaller;
}

function isLocked(answer: Sent extends Map<Row, infer A> ? A | undefined : never): boolean {
  return answer !== undefined && !answer.ok && answer.failure.code === 'locked';
}

async function sendBatch(session: Session, verb: Verb, rows: Row[], policy: RowPolicy): Promise<Sent> {
  try {
    const answer = await session.send(
      writeRows(verb, rows, policy.headers(verb)),
      rows.flatMap((row) => row.plans),
    );
    return account(verb, rows, answer.body);
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    const all = () => new Map(rows.map((row) => [row, { ok: false as const, failure }]));
    if (rows.length === 1 || !failure.vendor || !isAboutRows(failure)) return all();
    // A field that an object does not have is wrong in every row that writes it.
    const guilty = rows.filter((row) => failure.fields.some((field) => field in row.fields));
    if (guilty.length === rows.length) return all();
    const [first, second] = guilty.length > 0 ? [guilty, rows.filter((row) => !guilty.includes(row))] : halvesOf(rows);
    return new Map([
      ...(guilty.length > 0
        ? first.map((row): [Row, { ok: false; failure: SalesforceFailure }] => [row, { ok: false, failure }])
        : await sendBatch(session, verb, first, policy)),
      ...(await sendBatch(session, verb, second, policy)),
    ]);
  }
}

/** Matches a 2xx body to the rows: results stand in their order. */
function account(verb: Verb, rows: Row[], body: unknown): Sent {
  const results = Array.isArray(body) ? body : [];
  const sent: Sent = new Map();
  // Another number of results than rows says of no row which one is its own.
  const told = results.length === rows.length;
  for (const [index, row] of rows.entries()) {
    const result = asObject(told ? results[index] : undefined);
    const id = asText(result.id) || (row.id ?? '');
    if (result.success === true && id) sent.set(row, { ok: true, id });
    else if (result.success === false)
      sent.set(row, {
        ok: false,
        failure: failureOf(readRowErrors(200, result), {
          doing: `${verb} ${row.object}`,
          sent: Object.values(row.fields),
        }),
      });
    else sent.set(row, nothingSaid(verb, row));
  }
  return sent;
}

function nothingSaid(verb: Verb, row: Row): { ok: false; failure: SalesforceFailure } {
  return { ok: false, failure: unaccounted(`${verb} ${row.object}`, true) };
}

function droppable(row: Row, failure: SalesforceFailure, policy: RowPolicy): string[] {
  const refused = failure.fields.filter((field) => field in row.fields);
  if (refused.length === 0 || refused.some((field) => row.required.has(field))) return [];
  return policy.drop || refused.every((field) => ALWAYS_DROPPED.has(field)) ? refused : [];
}

/** Rows of one object stand together, and within it those of one parent. */
function inOrder(rows: Row[]): Row[] {
  const place = new Map(rows.map((row, index) => [row, index]));
  return [...rows].sort(
    (a, b) =>
      compare(a.object, b.object) ||
      compare(a.parent ?? '', b.parent ?? '') ||
      (place.get(a) ?? 0) - (place.get(b) ?? 0),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function objectsOf(rows: Row[]): string[] {
  return [...new Set(rows.map(({ object }) => object))];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
