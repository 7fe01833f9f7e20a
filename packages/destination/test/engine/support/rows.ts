/** A CRM that takes rows and answers each of them as a test says. */
import type { CrmRow, RowAnswer, RowAnswers, RowVerb, RowWriter } from '../../../src/engine/rows/row.ts';
import { writeRows } from '../../../src/engine/rows/write-rows.ts';
import { RequestFailure } from '../../../src/http/request-failure.ts';
import type { FailureCode } from '../../../src/port/failure.ts';
import { newContext } from './sample.ts';

export const row = (id: string, rest: Partial<CrmRow> = {}): CrmRow => ({
  ...{ object: 'deals', id, fields: { name: id }, plans: [0], required: new Set<string>() },
  ...rest,
});
export const took = (id: string): RowAnswer => ({ ok: true, id, created: false });
export const refusal = (
  code: FailureCode,
  rest: Partial<{ fields: string[]; split_and_retry: boolean; outcome_unknown: boolean; vendor: object }> = {},
) => new RequestFailure(code, `${code}.`, {}, { vendor: {}, ...rest });

/** A CRM whose answer to each row, or to the whole request, is made by `answer`. */
export function crmWith(
  answer: (row: CrmRow, request: CrmRow[], verb: RowVerb) => RowAnswer | undefined,
  rest: Partial<Omit<RowWriter, 'limits'>> & { limits?: Partial<RowWriter['limits']>; usable?: () => boolean } = {},
) {
  const { usable = () => true, limits, ...own } = rest;
  const requests: string[][] = [];
  const sent: CrmRow[] = [];
  const verbs: RowVerb[] = [];
  const ctx = newContext();
  const request = (verb: RowVerb) => async (rows: CrmRow[]) => {
    requests.push(rows.map(({ id = '' }) => id));
    sent.push(...rows);
    verbs.push(verb);
    const answers: RowAnswers = new Map();
    for (const one of rows) {
      const said = answer(one, rows, verb);
      if (said) answers.set(one, said);
    }
    return answers;
  };
  const crm: RowWriter = {
    session: {
      ctx,
      get usable() {
        return usable();
      },
    } as RowWriter['session'],
    limits: { rows: 100, mixed: false, shrinks: false, ...limits },
    drops_fields: true,
    owner: 'owner',
    create: request('create'),
    update: request('update'),
    upsert: request('upsert'),
    rowsNamed: () => [],
    ...own,
  };
  const write = async (rows: CrmRow[], verb: RowVerb = 'update') => {
    const results = await writeRows(crm, verb, rows);
    return rows.map((one) => results.get(one));
  };
  return { crm, ctx, requests, sent, verbs, write };
}
