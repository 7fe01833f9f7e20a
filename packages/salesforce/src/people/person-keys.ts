/**
 * How a new person is kept from being created twice: by the unique key, of which Salesforce refuses the second holder and
 * names the first. In an org without the key people are read by the very number and address that they would be created
 * with, which queries see at once: that holds against repeats, and against two workers as long as the lease does.
 */
import {
  type Claim,
  type CrmPerson,
  contactSteps,
  type FoundPeople,
  judgeClaim,
  type NewPerson,
  type PersonKey,
  type PersonKeys,
} from '@wrapup/destination/engine';
import { asText } from '@wrapup/destination/http';
import { KEY } from '../client/objects.ts';
import { isIn, queryTogether, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import { isUniqueKey } from '../keys/key-ladder.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { bestOf, createdAs, fieldsToAsk, knownById, peopleObjects, phoneFieldsOf, readPeople } from './candidates.ts';

/** The key belongs to a record that Salesforce does not name: a human has to look. */
const CONTESTED =
  'Another record holds this unique value, and the integration user may not see it: find it in Salesforce, then replay.';

export function personKeys(session: SalesforceSession, org: OrgDefinitions): PersonKeys {
  const isUnique = ({ writes }: NewPerson) => isUniqueKey(org.object(createdAs(writes)), KEY);
  const key: PersonKey = {
    upserts: false,
    isUnique,
    keyed: (row, person) => (isUnique(person) ? { ...row, fields: { ...row.fields, [KEY]: person.key } } : row),
    find: (people, properties) => findPeople(session, org, people, properties),
  };
  return {
    inForce: async () => key,
    explain: (failure) => (failure.code === 'conflict' ? failure.with({ next: 'park', hint: CONTESTED }) : failure),
  };
}

async function findPeople(
  session: SalesforceSession,
  org: OrgDefinitions,
  people: NewPerson[],
  properties: string[],
): Promise<FoundPeople> {
  const queries = peopleObjects(org).flatMap((object) => {
    const where = whoseKeyOrIdentity(object, people);
    if (!where) return [];
    const fields = [...fieldsToAsk(object, properties), ...(object.fields.has(KEY) ? [KEY] : [])];
    return [{ object: object.name, soql: select(object.name, fields, where) }];
  });
  const found: FoundPeople = new Map();
  try {
    const plans = people.flatMap(({ writes }) => writes.map(({ index }) => index));
    const sent = stepsOf(people).map(({ value }) => value);
    const results = await queryTogether(session, 'look new people up', queries, plans, sent);
    const all = results.flatMap(({ records }) => readPeople(records));
    const isKeyed = ({ object }: CrmPerson) => isUniqueKey(org.object(object), KEY);
    for (const person of people) {
      const [mine] = bestOf(all.filter((one) => isSame(one, person, isKeyed(one))));
      if (!mine) continue;
      const followed = mine.converted && mine.follow !== undefined ? knownById(mine.follow) : mine;
      found.set(person, {
        person: followed,
        read: followed === mine && mine.follow === undefined,
        claim: claimOn(mine, person, isKeyed(mine)),
      });
    }
  } catch (thrown) {
    for (const person of people) found.set(person, asSalesforceFailure(thrown));
  }
  return found;
}

const stepsOf = (people: NewPerson[]) => people.flatMap(({ writes }) => writes.flatMap(contactSteps));

/** By key where the object has it, else by the number and address that a new record would get. */
function whoseKeyOrIdentity(object: OrgObject, people: NewPerson[]): string | undefined {
  if (object.name === 'Account') return undefined;
  if (isUniqueKey(object, KEY))
    return isIn(
      KEY,
      people.map(({ key }) => key),
    );
  const steps = stepsOf(people);
  const values = (by: string) => [...new Set(steps.filter((step) => step.by === by).map(({ value }) => value))];
  const [phones, emails] = [values('phone'), values('email')];
  const clauses = [
    ...(phones.length > 0 ? phoneFieldsOf(object).map((name) => isIn(name, phones)) : []),
    ...(emails.length > 0 && object.fields.has('Email') ? [isIn('Email', emails)] : []),
  ];
  return clauses.length > 0 ? clauses.join(' OR ') : undefined;
}

/** What tells that it is the same person: the key, or what the record holds of the person's numbers and addresses. */
function claimOn(one: CrmPerson, { key, writes }: NewPerson, keyed: boolean): Claim {
  if (keyed) return judgeClaim(writes, [key]);
  const held = valuesOf(one);
  const isGiven = (write: NewPerson['writes'][number]) =>
    contactSteps(write).some(({ said, value }) => !said && held.has(value.toLowerCase()));
  return writes.every(isGiven) ? 'same' : 'limit';
}

function isSame(one: CrmPerson, { key, writes }: NewPerson, keyed: boolean): boolean {
  if (keyed) return one.properties[KEY] === key;
  const held = valuesOf(one);
  return writes.flatMap(contactSteps).some(({ value }) => held.has(value.toLowerCase()));
}

function valuesOf({ properties }: CrmPerson): Set<string> {
  return new Set(Object.values(properties).map((value) => asText(value).toLowerCase()));
}
