/** Reads people by id and by address, whatever object they belong to, in one request. */
import type { Failure } from '@wrapup/destination';
import type { CrmPerson, PeopleRead, PeopleVerbs } from '@wrapup/destination/engine';
import { asText } from '@wrapup/destination/http';
import type { Org } from '../account/schema.ts';
import { queryTogether } from '../client/query.ts';
import { select } from '../client/soql.ts';
import { asSalesforceFailure, SalesforceFailure } from '../errors/classify.ts';
import type { SalesforceSession } from '../session.ts';
import { bestOf, fieldsToAsk, peopleObjects, readPeople, whoseIdOrEmail } from './candidates.ts';

/** Never rejects. */
export async function readByIdOrEmail(
  session: SalesforceSession,
  org: Org,
  { ids, emails }: Parameters<PeopleVerbs['read']>[0],
  properties: string[],
): Promise<PeopleRead> {
  const queries = peopleObjects(org).flatMap((object) => {
    const where = whoseIdOrEmail(object, [...ids.keys()], [...emails.keys()]);
    return where ? [{ object: object.name, soql: select(object.name, fieldsToAsk(object, properties), where) }] : [];
  });
  try {
    const plans = [...ids.values(), ...emails.values()].flat();
    const results = await queryTogether(session, 'look people up', queries, plans, [...emails.keys()]);
    if (results.some(({ whole }) => !whole)) return await inHalves(session, org, { ids, emails }, properties);
    const people = results.flatMap(({ records }) => readPeople(records));
    return {
      byId: new Map(people.filter(({ id }) => ids.has(id)).map((person) => [person.id, person])),
      byEmail: new Map([...emails.keys()].map((email) => [email, bestOf(people.filter(hasEmail(email)))])),
    };
  } catch (thrown) {
    const failure = asSalesforceFailure(thrown);
    return { byId: failAll(ids, failure), byEmail: failAll(emails, failure) };
  }
}

const hasEmail = (email: string) => (person: CrmPerson) => asText(person.properties.Email).toLowerCase() === email;

function failAll(asked: ReadonlyMap<string, unknown>, failure: Failure): Map<string, Failure> {
  return new Map([...asked.keys()].map((key) => [key, failure]));
}

/** More records than one answer holds: fewer at once, ids apart from addresses. @throws SalesforceFailure for a single one */
async function inHalves(
  session: SalesforceSession,
  org: Org,
  { ids, emails }: Parameters<PeopleVerbs['read']>[0],
  properties: string[],
): Promise<PeopleRead> {
  const all = [...[...ids].map((one) => ({ ids: one })), ...[...emails].map((one) => ({ emails: one }))];
  if (all.length <= 1)
    throw new SalesforceFailure('refused', 'look people up: more than 2,000 records have this e-mail address.', {
      hint: 'Clean up the records that share this address, then replay.',
    });
  const middle = Math.ceil(all.length / 2);
  const parts = [all.slice(0, middle), all.slice(middle)].map((half) => ({
    ids: new Map(half.flatMap((one) => ('ids' in one ? [one.ids] : []))),
    emails: new Map(half.flatMap((one) => ('emails' in one ? [one.emails] : []))),
  }));
  const reads: PeopleRead[] = [];
  for (const part of parts) reads.push(await readByIdOrEmail(session, org, part, properties));
  return {
    byId: new Map(reads.flatMap(({ byId }) => [...byId])),
    byEmail: new Map(reads.flatMap(({ byEmail }) => [...byEmail])),
  };
}
