/**
 * Up to five collections in one request, where the connection asks for it (`composite: true`): people, and with them the
 * records that wait for their ids, which name them by a reference to their row.
 *
 *   request refused          its people are sent as without the setting
 *   part refused or halted   none of its rows was written: people are sent again, their records come again by themselves
 *   record written           kept, and answered when the engine asks for that record
 *   record without a person  written although its person was not: deleted at once, since nothing may stand unlinked
 *   answer not known         the record is looked for by its key when the engine asks for it
 *
 * https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html
 */
import { bytesOf, type CrmRow, chunk, type RowAnswer, type RowAnswers } from '@wrapup/destination/engine';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { asSalesforceFailure, failureOf, readVendorError, SalesforceFailure, unaccounted } from '../errors/classify.ts';
import {
  type CollectionPart,
  deleteRecords,
  MAX_BYTES,
  MAX_QUERIES,
  MAX_ROWS,
  type WriteVerb,
  writeTogether,
} from './api.ts';
import { accountFor, batchVerbs, headersFor, type WriteSettings } from './batch-write.ts';
import type { SalesforceSession } from './transport.ts';

/** Rows of one request. */
export const MAX_ROWS_TOGETHER = MAX_QUERIES * MAX_ROWS;

/** The verbs that write, as `batchVerbs` has them, with more rows in a request and records along with their people. */
export function compositeVerbs(session: SalesforceSession, settings: WriteSettings): ReturnType<typeof batchVerbs> {
  const alone = batchVerbs(session, settings);
  const kept: KeptAnswers = new Map();
  const sendGroup = async (verb: WriteVerb, rows: CrmRow[]): Promise<RowAnswers> => {
    const single = rows.length <= MAX_ROWS && rows.every(({ along }) => along === undefined);
    if (single || !rows.every(isPlain)) return alone[verb](rows);
    try {
      return await sendTogether(session, settings, kept, verb, rows);
    } catch (thrown) {
      const failure = asSalesforceFailure(thrown);
      if (!isRefusal(failure)) throw failure;
      session.ctx.log.warn(
        { error: failure.message },
        'a composite request was refused as a whole, and is sent in its parts',
      );
      return sendGroups(rows, chunk(rows, MAX_ROWS), alone[verb]);
    }
  };
  const send = async (verb: WriteVerb, rows: CrmRow[]): Promise<RowAnswers> => {
    const answers: RowAnswers = verb === 'create' ? takeKept(kept, rows) : new Map();
    const open = rows.filter((row) => !answers.has(row));
    const plain = open.filter(isPlain);
    const rest = open.filter((row) => !plain.includes(row));
    const groups = [...(plain.length > 0 ? [plain] : []), ...chunk(rest, MAX_ROWS)];
    const sent = await sendGroups(rows, groups, (group) => sendGroup(verb, group));
    return new Map([...answers, ...sent]);
  };
  const { rowsNamed } = alone;
  return { create: (rows) => send('create', rows), update: (rows) => send('update', rows), rowsNamed };
}

/** @throws SalesforceFailure when the one group that there is failed as a whole */
async function sendGroups(
  all: readonly CrmRow[],
  groups: readonly CrmRow[][],
  send: (group: CrmRow[]) => Promise<RowAnswers>,
): Promise<RowAnswers> {
  const answers: RowAnswers = new Map();
  for (const group of groups) {
    try {
      for (const [row, answer] of await send(group)) answers.set(row, answer);
    } catch (thrown) {
      if (group.length === all.length) throw thrown;
      for (const row of group) answers.set(row, { ok: false, failure: inFewerRows(asSalesforceFailure(thrown)) });
    }
  }
  return answers;
}

/** Salesforce took none of it, and would take none of it another time. */
function isRefusal({ vendor, next, outcome_unknown, split_and_retry }: SalesforceFailure): boolean {
  return vendor !== undefined && !outcome_unknown && !split_and_retry && (next === 'park' || next === 'die');
}

/** The refusal of some of the rows as a whole: which of them it is about is found out in smaller requests. */
function inFewerRows(failure: SalesforceFailure): SalesforceFailure {
  if (!isRefusal(failure)) return failure;
  const { code, message, next, details, vendor, fields } = failure;
  return new SalesforceFailure(
    code,
    message,
    { next, ...details },
    { ...(vendor ? { vendor } : {}), fields, split_and_retry: true },
  );
}

/* What was answered about records that were sent along, until the engine asks for them. */

interface Kept {
  /** As they are once the person’s id stands in them; undefined where nothing but the key is known of what is there. */
  fields: CrmRow['fields'] | undefined;
  answer: RowAnswer;
}

/** By object and key. */
type KeptAnswers = Map<string, Kept>;

const nameOf = ({ object, key }: CrmRow) => `${object} ${key}`;

/** Each is given once, for the row that was sent then. */
function takeKept(kept: KeptAnswers, rows: readonly CrmRow[]): RowAnswers {
  const answers: RowAnswers = new Map();
  for (const row of rows) {
    const known = kept.get(nameOf(row));
    if (!known || (known.fields && !isSame(known.fields, row.fields))) continue;
    kept.delete(nameOf(row));
    answers.set(row, known.answer);
  }
  return answers;
}

function isSame(one: CrmRow['fields'], other: CrmRow['fields']): boolean {
  const print = (fields: CrmRow['fields']) =>
    JSON.stringify(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return print(one) === print(other);
}

/* One request. */

/** One row of a part. */
interface Sending {
  row: CrmRow;
  fields: CrmRow['fields'];
  /** Of a record that goes along. */
  along?: true;
  /** Of one that refers to its person: that one’s row, and what stands for its id. */
  of?: { parent: CrmRow; id: string };
}

interface Part {
  ref: string;
  verb: WriteVerb;
  sendings: Sending[];
}

/** @throws SalesforceFailure when none of the rows was taken */
async function sendTogether(
  session: SalesforceSession,
  settings: WriteSettings,
  kept: KeptAnswers,
  verb: WriteVerb,
  rows: CrmRow[],
): Promise<RowAnswers> {
  const parts = pack(verb, rows, (row) => kept.has(nameOf(row)));
  const sendings = parts.flatMap((part) => part.sendings);
  const collections = parts.map((part): CollectionPart => {
    const headers = headersFor(part.verb, settings);
    const own = part.sendings.map(({ row: { object, id }, fields }) => ({ object, fields, ...(id ? { id } : {}) }));
    return { ref: part.ref, verb: part.verb, rows: own, headers };
  });
  const plans = new Set(sendings.flatMap(({ row }) => row.plans));
  const { body } = await session.send(writeTogether(collections, session.api_version), plans);
  const results = new Map(
    asList(asObject(body).compositeResponse).map((item) => [asText(asObject(item).referenceId), asObject(item)]),
  );
  const answers: RowAnswers = new Map();
  let refused: SalesforceFailure | undefined;
  for (const part of parts) {
    const answered = answersOf(part, results.get(part.ref));
    if (answered instanceof SalesforceFailure) refused ??= answered;
    else for (const [row, answer] of answered) answers.set(row, answer);
  }
  await keepAlong(session, kept, sendings, answers);
  const own: RowAnswers = new Map();
  for (const row of rows) {
    const answer = answers.get(row);
    if (answer) own.set(row, answer);
  }
  if (own.size === 0 && refused) throw refused;
  const again = rows.filter((row) => !own.has(row));
  if (again.length === 0) return own;
  try {
    for (const [row, answer] of await sendTogether(session, settings, kept, verb, again)) own.set(row, answer);
  } catch (thrown) {
    for (const row of again) own.set(row, { ok: false, failure: inFewerRows(asSalesforceFailure(thrown)) });
  }
  return own;
}

/** @returns why, when none of the part’s rows was taken */
function answersOf(
  { verb, sendings }: Part,
  result: Record<string, unknown> | undefined,
): RowAnswers | SalesforceFailure {
  const rows = sendings.map(({ row }) => row);
  const status = typeof result?.httpStatusCode === 'number' ? result.httpStatusCode : 0;
  if (status < 300) return accountFor(verb, rows, asList(result?.body));
  const objects = [...new Set(rows.map(({ object }) => object))].join(', ');
  const sent = sendings.flatMap(({ fields }) => Object.values(fields));
  const failure = failureOf(readVendorError(status, result?.body), { doing: `${verb} ${objects}`, sent });
  // The org’s own trouble leaves open what it did; any other refusal of a part wrote nothing of it.
  return status < 500 ? failure : new Map(rows.map((row) => [row, { ok: false, failure }]));
}

/** Keeps what was answered about records that were sent along. */
async function keepAlong(
  session: SalesforceSession,
  kept: KeptAnswers,
  sendings: readonly Sending[],
  answers: RowAnswers,
): Promise<void> {
  const orphans: { row: CrmRow; id: string }[] = [];
  const lookFor = (row: CrmRow) =>
    kept.set(nameOf(row), {
      fields: undefined,
      answer: { ok: false, failure: unaccounted(`create ${row.object}`, true) },
    });
  for (const { row, along, of } of sendings) {
    const answer = along && answers.get(row);
    if (!answer) continue;
    const parent = of && answers.get(of.parent);
    if (!of) kept.set(nameOf(row), { fields: row.fields, answer });
    else if (parent?.ok) {
      const fields = replaced(row.fields, of.id, parent.id);
      if (answer.ok || isSaidOfRow(answer.failure, row, of.id)) kept.set(nameOf(row), { fields, answer });
    } else if (parent?.failure.outcome_unknown || (!answer.ok && answer.failure.outcome_unknown)) lookFor(row);
    else if (answer.ok) orphans.push({ row, id: answer.id });
  }
  const gone = await remove(session, orphans);
  for (const { row, id } of orphans) if (!gone.has(id)) lookFor(row);
}

function replaced(fields: CrmRow['fields'], from: string, to: string): CrmRow['fields'] {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value === from ? to : value]));
}

/** A refusal that would come again without the reference: it is about other fields, or about too much at once. */
function isSaidOfRow({ fields, split_and_retry, outcome_unknown }: RowFailure, row: CrmRow, id: string): boolean {
  const linked = Object.keys(row.fields).filter((name) => row.fields[name] === id);
  return split_and_retry || outcome_unknown || (fields.length > 0 && !fields.some((field) => linked.includes(field)));
}

type RowFailure = (RowAnswer & { ok: false })['failure'];

/** Deletes records that stand without their person. Never rejects. @returns ids of those that are gone */
async function remove(
  session: SalesforceSession,
  orphans: readonly { row: CrmRow; id: string }[],
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  for (const part of chunk([...orphans], MAX_ROWS)) {
    const ids = part.map(({ id }) => id);
    try {
      const { body } = await session.send(deleteRecords(ids), new Set(part.flatMap(({ row }) => row.plans)));
      for (const [index, row] of asList(body).entries()) if (asObject(row).success === true) gone.add(ids[index] ?? '');
    } catch (thrown) {
      const { message } = asSalesforceFailure(thrown);
      session.ctx.log.warn({ error: message }, 'records that stand without their person could not be deleted');
    }
  }
  return gone;
}

/* Which rows go into which part. Pure. */

/** Salesforce reads references in every text of such a request, also in what was said on the phone. */
function isPlain({ fields }: CrmRow): boolean {
  return !Object.values(fields).some((value) => typeof value === 'string' && value.includes('@{'));
}

/**
 * People first, then what goes along in the order of objects, in the room that is left. A record may stand in a part with
 * people only if its own person stands in one before.
 * @param isKnown records that were sent along before
 */
function pack(verb: WriteVerb, rows: readonly CrmRow[], isKnown: (row: CrmRow) => boolean): Part[] {
  const parts = chunk([...rows], MAX_ROWS).map((part, index): Part => {
    const sendings = part.map((row) => ({ row, fields: row.fields }));
    return { ref: `part${index}`, verb, sendings };
  });
  const placeOf = new Map(
    parts.flatMap(({ ref, sendings }) => sendings.map(({ row }, at) => [row, { ref, at }] as const)),
  );
  const along = rows.flatMap((parent) =>
    (parent.along?.rows ?? []).filter((row) => isPlain(row) && !isKnown(row)).map((row) => ({ parent, row })),
  );
  const order = along.toSorted((a, b) => (a.row.object < b.row.object ? -1 : a.row.object > b.row.object ? 1 : 0));
  let room = MAX_BYTES - rows.reduce((sum, row) => sum + bytesOf(row), 0);
  for (const { parent, row } of order) {
    const place = placeOf.get(parent);
    room -= bytesOf(row);
    if (!place || room < 0) continue;
    const part = partFor(parts, place.ref);
    if (!part) break;
    const id = parent.along?.id ?? '';
    const fields = replaced(row.fields, id, `@{${place.ref}[${place.at}].id}`);
    const refers = Object.values(row.fields).includes(id);
    part.sendings.push({ row, fields, along: true, ...(refers ? { of: { parent, id } } : {}) });
  }
  return parts;
}

/** The last part where it takes one more row that refers to that one, else a new one; undefined when there is no room. */
function partFor(parts: Part[], ref: string): Part | undefined {
  const last = parts.at(-1);
  if (last && last.verb === 'create' && last.ref !== ref && last.sendings.length < MAX_ROWS) return last;
  if (parts.length === MAX_QUERIES) return undefined;
  const part: Part = { ref: `part${parts.length}`, verb: 'create', sendings: [] };
  parts.push(part);
  return part;
}
