/** Acme's people, as the write engine asks for them. */
import { Failure } from '@wrapup/destination';
import {
  type AskedValues,
  type CrmPerson,
  type FoundPeople,
  holdsPhone,
  inOrder,
  judgeClaim,
  type PeopleVerbs,
  type PersonKeys,
  type PersonWrite,
  type RecordVerbs,
} from '@wrapup/destination/engine';
import { readRecords, recordsIn } from '../client/batches.ts';
import { type AcmeRecord, KEY, PEOPLE, WATERMARK } from '../client/objects.ts';
import type { AcmeSession } from '../client/transport.ts';
import { asAcmeFailure } from '../errors/classify.ts';

export function peopleVerbs(session: AcmeSession, records: RecordVerbs): PeopleVerbs {
  const { create, update, rowsNamed, limits, drops_fields, owner, fields, urlOf } = records;
  return {
    ...{ session, create, update, rowsNamed, limits, drops_fields, owner, fields, urlOf },
    wording: {
      crm: 'Acme',
      person: 'person',
      people: 'people',
      vanished: 'The person was deleted while it was being written.',
    },
    watermark: WATERMARK,
    identifying: ['first_name', 'last_name', 'email', 'phone'],
    keys: personKeys(session),
    personId: (text) => (/^\d{1,20}$/.test(text) ? text : undefined),
    byId: (id) => ({ object: PEOPLE, id, properties: {} }),
    async read({ ids, emails }) {
      const byId = await readPeople(session, 'id', ids);
      return {
        byId: new Map(
          [...byId].flatMap(([id, one]) => (Array.isArray(one) ? one.slice(0, 1) : [one]).map((x) => [id, x])),
        ),
        byEmail: await readPeople(session, 'email', emails),
      };
    },
    search: (phones) => searchPeople(session, phones),
    foundBy: () => ['phone', 'email'],
    newObject: () => PEOPLE,
    complete: (_object, values, writes) => complete(values, writes),
    required_of_new: new Set([KEY]),
    judge: (_person, _row, failure) =>
      failure.code === 'conflict'
        ? failure.with({ next: 'park', hint: 'Merge the people who claim the same value in Acme, then replay.' })
        : failure,
    holderOf(failure, row) {
      const { field, holder } = asAcmeFailure(failure).vendor ?? {};
      const values = field === undefined ? Object.values(row.fields) : [row.fields[field]];
      return { values, ...(holder ? { id: holder } : {}) };
    },
    identityOf: ({ properties: { first_name, last_name, email, phone } }) => ({
      name: [first_name, last_name],
      email: [email],
      phone: [phone],
      company: [],
    }),
  };
}

const toPerson = ({ id, fields }: AcmeRecord): CrmPerson => ({ object: PEOPLE, id, properties: fields });

/** Oldest first: Acme's ids count up. */
const inAge = (people: CrmPerson[]) => people.toSorted((a, b) => Number(a.id) - Number(b.id));

async function readPeople(
  session: AcmeSession,
  field: string,
  asked: AskedValues,
): Promise<Map<string, CrmPerson[] | Failure>> {
  const found = await readRecords(session, PEOPLE, field, asked);
  return new Map([...found].map(([value, one]) => [value, one instanceof Failure ? one : inAge(one.map(toPerson))]));
}

/** Acme finds numbers as they were typed, more than are meant: they are compared in full here. */
async function searchPeople(session: AcmeSession, phones: AskedValues): Promise<Map<string, CrmPerson[] | Failure>> {
  const all = [...phones.keys()];
  const call = { name: 'search people', writes: false, path: '/search/people', body: { phones: all }, sent: all };
  try {
    const { body } = await session.send(call, [...phones.values()].flat());
    const people = inAge(recordsIn(body, call.name).map(toPerson));
    return new Map(
      all.map((phone) => [phone, people.filter(({ properties }) => holdsPhone([properties.phone], phone))]),
    );
  } catch (thrown) {
    return new Map(all.map((phone) => [phone, asAcmeFailure(thrown)]));
  }
}

/** What a new person needs beside what the mapping says: the number and address by which the next call finds it, a name. */
function complete(fields: Readonly<Record<string, unknown>>, writes: readonly PersonWrite[]): Record<string, unknown> {
  const whole = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ''));
  for (const { plan } of inOrder(writes)) {
    const { phone, email, name } = plan.person?.fallback ?? {};
    if (phone) whole.phone ??= phone;
    if (email) whole.email ??= email;
    if (name && whole.last_name === undefined) whole.first_name ??= name;
  }
  return whole;
}

/** Acme refuses the second holder of a key and names the first, so one key is all that a new person needs. */
function personKeys(session: AcmeSession): PersonKeys {
  return {
    inForce: async () => ({
      upserts: false,
      isUnique: () => true,
      keyed: (row, { key }) => ({ ...row, fields: { ...row.fields, [KEY]: key } }),
      async find(people) {
        const asked = new Map(people.map(({ key, writes }) => [key, writes.map(({ index }) => index)]));
        const read = await readPeople(session, KEY, asked);
        const found: FoundPeople = new Map();
        for (const person of people) {
          const one = read.get(person.key);
          if (one instanceof Failure) found.set(person, one);
          else if (one?.[0])
            found.set(person, { person: one[0], read: true, claim: judgeClaim(person.writes, [person.key]) });
        }
        return found;
      },
    }),
    explain: (failure) => (failure.code === 'conflict' ? failure.with({ next: 'park' }) : failure),
  };
}
