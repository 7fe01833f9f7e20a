/** Acme's records, as the write engine asks for them: keys, fields, links, owners. */
import { Failure } from '@wrapup/destination';
import type { Item, KeyStrategy, OwnerList, OwnerSource, RecordReading, RecordVerbs } from '@wrapup/destination/engine';
import { asList, asObject, asText } from '@wrapup/destination/http';
import { batchVerbs, MAX_ROWS, readRecords } from '../client/batches.ts';
import { KEY, OWNER, PEOPLE } from '../client/objects.ts';
import type { AcmeSession } from '../client/transport.ts';

/** Characters that a text takes. */
const TEXT_LIMIT = 65_536;

export function recordVerbs(session: AcmeSession, drops_fields: boolean): RecordVerbs {
  const key = uniqueKey(session);
  return {
    session,
    limits: { rows: MAX_ROWS, mixed: false, shrinks: false },
    drops_fields,
    owner: OWNER,
    ...batchVerbs(session),
    keys: {
      strategyFor: async () => key,
      // A unique value that stays contested after it was looked for is another record's, and a matter for a person.
      explain: (failure) => (failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure),
    },
    fields: { limitOf: () => TEXT_LIMIT, encode: (_object, _field, value) => value },
    urlOf: () => undefined,
    requiredOf: () => new Set([KEY, 'happened_at']),
    // A link is a field. A CRM that takes links apart from fields has `targets` of a row and `associate` instead.
    linkFields(_object, targets, there) {
      const person = targets.find(({ object }) => object === PEOPLE);
      const moves = person !== undefined && there?.properties.person_id !== person.id;
      return { fields: moves ? { person_id: person.id } : {}, notes: [] };
    },
  };
}

/** The unique key as a field of the record. */
function uniqueKey(session: AcmeSession): KeyStrategy {
  return {
    upserts: false,
    keyed: (row) => (row.key === undefined ? row : { ...row, fields: { ...row.fields, [KEY]: row.key } }),
    async read(items) {
      const readings = new Map<Item, RecordReading>();
      for (const [object, all] of Map.groupBy(items, ({ record }) => record.object)) {
        const keys = new Map(all.map(({ record, write }) => [record.key, [write.index]]));
        const found = await readRecords(session, object, KEY, keys);
        for (const item of all) {
          const one = found.get(item.record.key);
          if (one instanceof Failure) readings.set(item, one);
          else readings.set(item, one?.[0] ? { id: one[0].id, properties: one[0].fields } : 'absent');
        }
      }
      return readings;
    },
  };
}

/** Who can own records: the account's active users. */
export function ownerSource(session: AcmeSession): OwnerSource {
  return { property: OWNER, read: (plans) => readOwners(session, plans) };
}

async function readOwners(session: AcmeSession, plans: number[]): Promise<OwnerList> {
  const { body } = await session.send({ name: 'read the users', writes: false, path: '/users' }, plans);
  const users = asList(asObject(body).users).map(asObject);
  const active = users.filter((user) => user.active === true);
  return { owners: active.map(({ id, email }) => [asText(id), asText(email).toLowerCase()]) };
}
