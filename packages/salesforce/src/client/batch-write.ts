/**
 * Collections in which every row is accounted for. A 2xx is not success: results stand in the order of the rows, and each
 * is read. What no result speaks of is `unaccounted`.
 *
 * Salesforce locks a record's parent for each request: https://help.salesforce.com/s/articleView?id=005226737&type=1
 */
import type { CrmRow, RowAnswer, RowAnswers, RowWriter } from '@wrapup/destination/engine';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { asSalesforceFailure, failureOf, readRowErrors, unaccounted } from '../errors/classify.ts';
import { createRecord, type WriteVerb, writeRows } from './api.ts';
import type { SalesforceSettings } from './settings.ts';
import type { SalesforceSession } from './transport.ts';

/** Settings that say how the org takes what is written. */
export type WriteSettings = Pick<SalesforceSettings, 'assignment_rules' | 'duplicates'>;

/** The verbs that write, one request each, for rows of any objects. */
export function batchVerbs(
  session: SalesforceSession,
  settings: WriteSettings,
): Pick<RowWriter, WriteVerb | 'rowsNamed'> {
  const send = async (verb: WriteVerb, rows: CrmRow[]): Promise<RowAnswers> => {
    const plans = rows.flatMap((row) => row.plans);
    const { body } = await session.send(writeRows(verb, rows, headersFor(verb, settings)), plans);
    return accountFor(verb, rows, asList(body));
  };
  return {
    create: (rows) => send('create', rows),
    update: (rows) => send('update', rows),
    // A field that an object does not have is wrong in every row that writes it.
    rowsNamed: (rows, { fields }) => rows.filter((row) => fields.some((field) => field in row.fields)),
  };
}

/** Matches a 2xx body to the rows. Another number of results than rows says of no row which one is its own. */
export function accountFor(verb: WriteVerb, rows: CrmRow[], results: unknown[]): RowAnswers {
  const answers: RowAnswers = new Map();
  for (const [index, row] of rows.entries()) {
    const doing = `${verb} ${row.object}`;
    const result = asObject(results.length === rows.length ? results[index] : undefined);
    const id = asText(result.id) || (row.id ?? '');
    if (result.success === true && id) answers.set(row, { ok: true, id, created: verb === 'create' });
    else {
      const sent = Object.values(row.fields);
      const refused = result.success === false && failureOf(readRowErrors(200, result), { doing, sent });
      answers.set(row, { ok: false, failure: refused || unaccounted(doing, true) });
    }
  }
  return answers;
}

/**
 * Rows that a duplicate rule stopped, each sent once more alone: a collection does not say whom the rule found, the refusal of
 * a single record does. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm
 */
export async function nameDuplicates(
  session: SalesforceSession,
  settings: WriteSettings,
  answers: RowAnswers,
): Promise<RowAnswers> {
  const named: RowAnswers = new Map(answers);
  for (const [row, answer] of answers) {
    if (answer.ok || answer.failure.code !== 'ambiguous_person') continue;
    if (asSalesforceFailure(answer.failure).vendor?.matches.length === 0)
      named.set(row, await createAlone(session, settings, row));
  }
  return named;
}

async function createAlone(
  session: SalesforceSession,
  settings: WriteSettings,
  { object, fields, plans }: CrmRow,
): Promise<RowAnswer> {
  try {
    const { body } = await session.send(createRecord(object, fields, headersFor('create', settings)), plans);
    const id = asText(asObject(body).id);
    if (id) return { ok: true, id, created: true };
    return { ok: false, failure: unaccounted(`create ${object}`, true) };
  } catch (thrown) {
    return { ok: false, failure: asSalesforceFailure(thrown) };
  }
}

/* Headers of writes. */

/**
 * Assignment rules run unless a header prevents them, also on updates, and take records away from whom the mapping gave them.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/headers-autoassign.html
 *
 * A duplicate rule that only warns refuses too, unless a header prevents it. An existing person is no duplicate because a call
 * is written to them. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
 */
export function headersFor(verb: WriteVerb, { assignment_rules, duplicates }: WriteSettings): Record<string, string> {
  const save = verb === 'update' || duplicates === 'allow';
  return {
    'Sforce-Auto-Assign': assignment_rules ? 'TRUE' : 'FALSE',
    ...(save ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {}),
  };
}
