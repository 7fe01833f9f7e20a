/** Batches in which every row is accounted for. A 2xx is not success: each row is matched to its own result. */
import type { Failure } from '@wrapup/destination';
import { type CrmRow, chunk, type RowAnswers, type RowWriter } from '@wrapup/destination/engine';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { asAcmeFailure, failureOf, readVendorError, unaccounted } from '../errors/classify.ts';
import type { AcmeRecord } from './objects.ts';
import type { AcmeSession } from './transport.ts';

/** Rows of one request. */
export const MAX_ROWS = 100;

/** The verbs that write, one request each. */
export function batchVerbs(session: AcmeSession): Pick<RowWriter, 'create' | 'update' | 'rowsNamed'> {
  const send = async (verb: 'create' | 'update', rows: CrmRow[]): Promise<RowAnswers> => {
    const object = rows[0]?.object ?? '';
    const records = rows.map(({ id, fields }) => ({ ...(id === undefined ? {} : { id }), fields }));
    const sent = rows.flatMap(({ fields }) => Object.values(fields));
    const plans = rows.flatMap((row) => row.plans);
    const name = `${verb} ${rows.length} ${object}`;
    const call = { name, writes: true, path: `/${verb}/${object}`, body: { records }, sent };
    return accountFor(verb, rows, asList(asObject((await session.send(call, plans)).body).results));
  };
  return {
    create: (rows) => send('create', rows),
    update: (rows) => send('update', rows),
    // Acme refuses rows one by one, never a request for one of its rows.
    rowsNamed: () => [],
  };
}

/** Results stand in the order of the rows. Another number of them says of no row which one is its own. */
function accountFor(verb: 'create' | 'update', rows: CrmRow[], results: unknown[]): RowAnswers {
  const answers: RowAnswers = new Map();
  for (const [index, row] of rows.entries()) {
    const doing = `${verb} ${row.object}`;
    const result = asObject(results.length === rows.length ? results[index] : undefined);
    const id = asText(result.id);
    if (id) answers.set(row, { ok: true, id, created: verb === 'create' });
    else if (result.error === undefined) answers.set(row, { ok: false, failure: unaccounted(doing, true) });
    else {
      const failure = failureOf(readVendorError(200, result.error), { doing, sent: Object.values(row.fields) });
      answers.set(row, { ok: false, failure });
    }
  }
  return answers;
}

/**
 * Records by the value of a field. A value that is not in the map is certainly not there. Never rejects.
 * @param values and the numbers of the plans that ask for each
 */
export async function readRecords(
  session: AcmeSession,
  object: string,
  field: string,
  values: ReadonlyMap<string, readonly number[]>,
): Promise<Map<string, AcmeRecord[] | Failure>> {
  const found = new Map<string, AcmeRecord[] | Failure>();
  for (const part of chunk([...values.keys()], MAX_ROWS)) {
    try {
      const call = {
        name: `read ${part.length} ${object} by ${field}`,
        writes: false,
        path: `/read/${object}`,
        body: { field, values: part },
        sent: part,
      };
      const plans = part.flatMap((value) => values.get(value) ?? []);
      for (const record of recordsIn((await session.send(call, plans)).body, call.name)) {
        const text = field === 'id' ? record.id : String(record.fields[field]);
        const value = field === 'email' ? text.toLowerCase() : text;
        found.set(value, [...((found.get(value) as AcmeRecord[] | undefined) ?? []), record]);
      }
    } catch (thrown) {
      for (const value of part) found.set(value, asAcmeFailure(thrown));
    }
  }
  return found;
}

/** @throws AcmeFailure for an answer without records: "nothing found" is only said where Acme said so */
export function recordsIn(body: unknown, doing: string): AcmeRecord[] {
  const { records } = asObject(body);
  if (!Array.isArray(records)) throw unaccounted(doing);
  return records.map((item) => {
    const { id, fields } = asObject(item);
    return { id: asText(id), fields: asObject(fields) as AcmeRecord['fields'] };
  });
}
