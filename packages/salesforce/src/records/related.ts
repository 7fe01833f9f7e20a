/**
 * Records that belong to contacts or accounts: one query for 200 of them, five queries in a request. Queries see a write at
 * once, unlike searches.
 */
import { Failure } from '@wrapup/destination';
import { chunk, type Existing, halvesOf, type RelatedQuestion, type RelatedRecords } from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import { MAX_QUERIES } from '../client/api.ts';
import { CONTACT_ROLE } from '../client/objects.ts';
import { isIn, longId, queryTogether } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure, unaccounted } from '../errors/classify.ts';
import { type OrgObject, readOrg } from '../schema/org.ts';
import { propertiesOf } from '../schema/values.ts';

/** Ids of one query: each takes 20 characters of a text that may have 100,000. */
const MAX_IDS = 200;

/** Field by which a record names the contact or the account that it belongs to. */
const BELONGS: Record<string, string> = { Contact: 'ContactId', Account: 'AccountId' };

const DOING = 'read what belongs to the callers';

interface Part {
  question: number;
  ids: string[];
  /** Field of a row that says which of the ids it belongs to. */
  by: string;
  object: string;
  soqlFor(ids: string[]): string;
}

/** Never rejects. */
export async function readRelated(
  session: SalesforceSession,
  questions: readonly RelatedQuestion[],
): Promise<RelatedRecords[]> {
  const answers = questions.map(() => new Map<string, Existing[] | Failure>());
  try {
    const asked = questions.flatMap(({ ids }) => [...ids.values()].flat());
    const org = await readOrg(
      session,
      questions.map(({ object }) => object),
      { plans: asked },
    );
    const parts = questions.flatMap((question, index): Part[] => {
      const known = org.object(question.object);
      const all = [...question.ids.keys()];
      if (known) return chunk(all, MAX_IDS).flatMap((ids) => queryFor(known, question, ids, index));
      for (const id of all) answers[index]?.set(id, noAccess(question.object));
      return [];
    });
    for (let open = parts; open.length > 0; ) {
      const again: Part[] = [];
      for (const some of chunk(open, MAX_QUERIES)) again.push(...(await ask(session, some, questions, answers)));
      open = again;
    }
  } catch (thrown) {
    for (const [index, { ids }] of questions.entries())
      for (const id of ids.keys()) answers[index]?.set(id, asSalesforceFailure(thrown));
  }
  return answers;
}

/** @returns nothing where such records belong to none of these: leads have no opportunities */
function queryFor(known: OrgObject, question: RelatedQuestion, ids: string[], index: number): Part[] {
  const { object, of, properties } = question;
  const names = properties.filter((name) => known.fields.has(name));
  if (object === 'Account') {
    if (of !== 'Contact') return [];
    const fields = ['Id', 'AccountId', ...names.map((name) => `Account.${name}`)].join(', ');
    const soqlFor = (some: string[]) => `SELECT ${fields} FROM Contact WHERE ${isIn('Id', some)}`;
    return [{ question: index, ids, by: 'Id', object: 'Contact', soqlFor }];
  }
  const by = BELONGS[of];
  if (by === undefined || !known.fields.has(by)) return [];
  if (object === 'Opportunity' && of === 'Contact') return [byRole(question, names, ids, index)];
  const rest = restOf(question, known.fields.has('IsClosed'));
  const fields = [...new Set(['Id', by, ...names])].join(', ');
  const soqlFor = (some: string[]) => `SELECT ${fields} FROM ${object} WHERE ${isIn(by, some)}${rest}`;
  return [{ question: index, ids, by, object, soqlFor }];
}

/** Which of the records, in what order. @param ends whether they have an end @param of `Opportunity.`, where a row only names them */
function restOf({ closed, most, ids }: RelatedQuestion, ends: boolean, of = ''): string {
  const open = ends && !closed ? ` AND ${of}IsClosed = false` : '';
  const last = closed
    ? [...(ends ? [`${of}IsClosed ASC`] : []), `${of}LastModifiedDate DESC`]
    : [`${of}CreatedDate DESC`, `${of}Id DESC`];
  // Of several at once those of one could take the place of another's.
  const limit = most !== undefined && ids.size === 1 ? ` LIMIT ${most}` : '';
  return `${open} ORDER BY ${last.join(', ')}${limit}`;
}

/**
 * An opportunity belongs to the contacts that have a role in it; its own field names the primary one only.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-opportunitycontactrole.html
 */
function byRole(question: RelatedQuestion, names: readonly string[], ids: string[], index: number): Part {
  const by = 'ContactId';
  const fields = [...new Set(['Id', ...names])].map((name) => `Opportunity.${name}`).join(', ');
  const rest = restOf(question, true, 'Opportunity.');
  const soqlFor = (some: string[]) => `SELECT ${by}, ${fields} FROM ${CONTACT_ROLE} WHERE ${isIn(by, some)}${rest}`;
  return { question: index, ids, by, object: CONTACT_ROLE, soqlFor };
}

function noAccess(object: string): Failure {
  return new Failure('refused', `The org has no object ${object}, or the integration user may not see it.`, {
    hint: 'Give the user access, or take the association out of the mapping; then replay.',
  });
}

/** @returns parts of which one answer did not hold everything, to be asked again in halves */
async function ask(
  session: SalesforceSession,
  parts: Part[],
  questions: readonly RelatedQuestion[],
  answers: Map<string, Existing[] | Failure>[],
): Promise<Part[]> {
  const plans = parts.flatMap(({ question, ids }) => ids.flatMap((id) => questions[question]?.ids.get(id) ?? []));
  const again: Part[] = [];
  try {
    const queries = parts.map(({ object, soqlFor, ids }) => ({ object, soql: soqlFor(ids) }));
    const results = await queryTogether(session, DOING, queries, plans);
    for (const [index, part] of parts.entries()) {
      const { question, ids } = part;
      const result = results[index];
      if (!result) throw unaccounted(DOING);
      const asked = questions[question];
      // Of one alone the first are the youngest: enough, unless all are asked for.
      if (!result.whole && ids.length > 1) again.push(...halvesOf(ids).map((half) => ({ ...part, ids: half })));
      else if (!result.whole && asked?.all) for (const id of ids) answers[question]?.set(id, tooMany(asked.object));
      else note(part, result.records, answers[question]);
    }
  } catch (thrown) {
    for (const { question, ids } of parts)
      for (const id of ids) answers[question]?.set(id, asSalesforceFailure(thrown));
  }
  return again;
}

function note(
  { ids, by, object }: Part,
  rows: unknown[],
  answers: Map<string, Existing[] | Failure> | undefined,
): void {
  const asked = new Map(ids.map((id) => [longId(id), id]));
  for (const row of rows.map(asObject)) {
    const id = asked.get(longId(asText(row[by])));
    const record =
      object === 'Contact' ? accountOf(row) : toRecord(object === CONTACT_ROLE ? asObject(row.Opportunity) : row);
    if (id === undefined || !record) continue;
    const known = answers?.get(id);
    const others = known instanceof Failure ? [] : (known ?? []);
    // A contact can have several roles in one opportunity.
    if (!others.some((one) => one.id === record.id)) answers?.set(id, [...others, record]);
  }
}

function tooMany(object: string): Failure {
  return new Failure('refused', `${DOING}: one of them has more than 2,000 open ones of ${object}.`, {
    hint: 'Name what is meant by its id, or clean up the record; then replay.',
  });
}

function toRecord(row: Record<string, unknown>): Existing | undefined {
  const id = asText(row.Id);
  return id ? { id, properties: propertiesOf(row) } : undefined;
}

/** A contact that belongs to no account is a private one. */
function accountOf({ AccountId, Account }: Record<string, unknown>): Existing | undefined {
  const id = asText(AccountId);
  return id ? { id, properties: toRecord({ ...asObject(Account), Id: id })?.properties ?? {} } : undefined;
}
