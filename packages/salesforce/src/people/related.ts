/** Records to read along with a person who calls in: their open opportunities and cases, the latest changed first. */

import type { PersonQuestion } from '@wrapup/destination';
import type { CrmPerson } from '@wrapup/destination/engine';
import { asObject } from '@wrapup/destination/http';
import type { Value } from '@wrapup/mapping';
import { queryTogether, quote } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { readValue } from '../schema/values.ts';

/** Names that a question may use, and whose records they are. */
const RELATED: Record<string, { object: string; open: string; whose(person: CrmPerson): string | undefined }> = {
  opportunities: {
    object: 'Opportunity',
    open: 'IsClosed',
    whose: ({ account, written_as }) => {
      const id = written_as?.id ?? account;
      return id === undefined ? undefined : `AccountId = ${quote(id)}`;
    },
  },
  cases: {
    object: 'Case',
    open: 'IsClosed',
    whose: ({ object, id }) => (object === 'Contact' ? `ContactId = ${quote(id)}` : undefined),
  },
};

/** A name is absent when its records could not be read. Never rejects. */
export async function readRelated(
  session: SalesforceSession,
  person: CrmPerson,
  wanted: NonNullable<PersonQuestion['related']>,
): Promise<Record<string, Record<string, Value>[]>> {
  const related: Record<string, Record<string, Value>[]> = {};
  await Promise.all(
    Object.entries(wanted).map(async ([name, { properties, most }]) => {
      const kind = RELATED[name];
      if (!kind) return;
      const whose = kind.whose(person);
      if (whose === undefined) {
        related[name] = [];
        return;
      }
      const fields = [...new Set(['Id', ...properties])].join(', ');
      const soql = `SELECT ${fields} FROM ${kind.object} WHERE ${whose} ORDER BY ${kind.open} ASC, LastModifiedDate DESC LIMIT ${most}`;
      try {
        const [result] = await queryTogether(session, `read ${name}`, [{ object: kind.object, soql }], []);
        related[name] = (result?.records ?? []).map((row) => {
          const { attributes: _, ...values } = asObject(row);
          return Object.fromEntries(Object.entries(values).map(([field, value]) => [field, readValue(value)]));
        });
      } catch (thrown) {
        session.ctx.log.warn({ error: String(thrown) }, `${name} of a caller could not be read`);
      }
    }),
  );
  return related;
}
