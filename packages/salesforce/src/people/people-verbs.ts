/** Salesforce's people as the write engine asks for them: leads, contacts, and accounts that are a person. */
import { own } from '@wrapup/call';
import { Failure } from '@wrapup/destination';
import {
  type CrmPerson,
  type CrmRow,
  inOrder,
  type PeopleVerbs,
  type PersonWrite,
  type Properties,
  type RecordVerbs,
} from '@wrapup/destination/engine';
import type { RequestFailure } from '@wrapup/destination/http';
import { nameDuplicates } from '../client/batch-write.ts';
import { KEY, NOT_PROVIDED, personObjectOf, WATERMARK } from '../client/objects.ts';
import { isRecordId, longId } from '../client/query.ts';
import type { SalesforceSettings } from '../client/settings.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';
import type { OrgDefinitions, OrgObject } from '../schema/org.ts';
import { bestOf, createdAs, knownById, phoneFieldsOf, readByIdOrEmail } from './candidates.ts';
import { personKeys } from './person-keys.ts';
import { searchPeople } from './phone-search.ts';

/** Objects of the records that a question may name, of all and of the open ones. */
const RELATED: Record<string, string> = {
  opportunities: 'Opportunity',
  cases: 'Case',
  open_opportunity: 'Opportunity',
  open_case: 'Case',
};

export function peopleVerbs(
  session: SalesforceSession,
  settings: Pick<SalesforceSettings, 'assignment_rules' | 'duplicates' | 'composite'>,
  org: OrgDefinitions,
  records: RecordVerbs,
): PeopleVerbs {
  const { create, update, rowsNamed, knownFields, limits, drops_fields, owner, fields, urlOf } = records;
  return {
    ...{ session, update, rowsNamed, limits, drops_fields, owner, fields, urlOf, withoutPlaceholders },
    ...(knownFields ? { knownFields } : {}),
    ...(settings.composite ? { along: records } : {}),
    create: async (rows) => nameDuplicates(session, settings, await create(rows)),
    wording: {
      crm: 'Salesforce',
      person: 'contact or lead',
      people: 'records',
      vanished: 'The person was deleted, merged or converted while being written.',
    },
    watermark: WATERMARK,
    identifying: ['Name', 'Email', 'PersonEmail', 'Company'],
    keys: personKeys(session, org),
    relatedOf: ({ object, id, account, written_as }, name) => {
      const kind = own(RELATED, name);
      // Opportunities belong to accounts: that of the contact, or the person account itself.
      const owner = written_as?.id ?? account;
      if (kind === 'Opportunity' && owner !== undefined) return { of: 'Account', id: owner, object: kind };
      return kind !== undefined && object === 'Contact' ? { of: object, id, object: kind } : undefined;
    },
    personId: (text) => (isRecordId(text) && personObjectOf(text) ? longId(text) : undefined),
    byId: knownById,
    // A contact may turn out to be a person account, which is written elsewhere.
    mustRead: (id) => personObjectOf(id) === 'Contact' && org.object('Contact')?.fields.has('IsPersonAccount') === true,
    read: (ask, properties) => readByIdOrEmail(session, org, ask, properties),
    search: (phones, properties) => searchPeople(session, org, phones, properties),
    foundBy(name) {
      const object = org.object(name);
      return [...(object ? phoneFieldsOf(object) : []), 'Email'];
    },
    newObject(writes) {
      const name = createdAs(writes);
      if (org.object(name)) return name;
      throw new Failure('refused', `The org has no ${name}s, or the integration user may not see them.`, {
        hint: 'Give the user access, or set person.create_as in the mapping; then replay.',
      });
    },
    complete: (name, values, writes) => complete(org.object(name), values, writes),
    required_of_new: REQUIRED_OF_NEW,
    target: (person, values) => targetOf(person, org.object('Account'), values),
    // What the call says of a person is not said of a company.
    notWritten: ({ object }) =>
      object === 'Account' ? 'The caller’s number is that of an account: the call is logged there.' : undefined,
    judge,
    holderOf(failure, row) {
      const { holder, fields: named = [] } = asSalesforceFailure(failure).vendor ?? {};
      const held = named.map((field) => row.fields[field]);
      return { values: held.length > 0 ? held : Object.values(row.fields), ...(holder ? { id: holder } : {}) };
    },
    duplicatesOf: (failure) => ({
      people: bestOf((asSalesforceFailure(failure).vendor?.matches ?? []).map(({ id }) => knownById(id))),
      use: settings.duplicates === 'use_match',
    }),
    identityOf: ({ properties: has }) => ({
      name: has.Name ? [has.Name] : [has.FirstName, has.LastName],
      email: [has.Email, has.PersonEmail],
      phone: [has.Phone, has.MobilePhone, has.PersonMobilePhone],
      company: [has.Company],
    }),
  };
}

/** A person account is written as the account that it is. */
function targetOf(
  { object, id, written_as }: CrmPerson,
  account: OrgObject | undefined,
  fields: CrmRow['fields'],
): Pick<CrmRow, 'object' | 'id' | 'fields'> {
  if (!account || !written_as) return { object, id, fields };
  const renamed = Object.entries(fields).flatMap(([name, value]) => {
    const there = onAccount(account, name);
    return there === undefined ? [] : [[there, value]];
  });
  return { ...written_as, fields: Object.fromEntries(renamed) };
}

/** Where another record has what the call says of this person, a human has to look. */
function judge({ id }: CrmPerson, _row: CrmRow, failure: RequestFailure): Failure {
  if (failure.code !== 'conflict' && failure.code !== 'ambiguous_person') return failure;
  const { holder, matches = [] } = asSalesforceFailure(failure).vendor ?? {};
  const others = [...(holder ? [holder] : []), ...matches.map((match) => match.id)];
  return failure.with({
    next: 'park',
    candidates: [id, ...others],
    hint: `Record ${id} and ${others[0] ?? 'another one'} claim the same value: merge them in Salesforce, then replay.`,
  });
}

/* What a person is in Salesforce beside what the mapping says of it. Pure. */

/** Fields of a new person that must not be dropped. */
const REQUIRED_OF_NEW: ReadonlySet<string> = new Set([KEY, 'LastName', 'Company']);

/** Names that stand for no name count as none: the next call may say the real one. */
export function withoutPlaceholders(current: Properties, writes: readonly PersonWrite[]): Properties {
  const invented = new Set([NOT_PROVIDED, ...writes.flatMap(({ plan }) => plan.person?.fallback.name ?? [])]);
  const known = { ...current };
  for (const name of ['LastName', 'Company'])
    if (typeof known[name] === 'string' && invented.has(known[name])) known[name] = null;
  return known;
}

/** What a person needs in addition when it is created: a name, a lead a company, and the number by which the next call finds it. */
export function complete(
  object: OrgObject | undefined,
  fields: Readonly<Record<string, unknown>>,
  writes: readonly PersonWrite[],
): Record<string, unknown> {
  const whole = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ''));
  if (!object) return whole;
  const numbers = phoneFieldsOf(object);
  for (const { plan } of inOrder(writes)) {
    const { phone, email } = plan.person?.fallback ?? {};
    if (phone && !numbers.some((name) => whole[name] !== undefined)) whole.Phone = phone;
    if (email && object.fields.has('Email')) whole.Email ??= email;
  }
  const name = writes[0]?.plan.person?.fallback.name ?? '';
  whole.LastName ??= whole.FirstName !== undefined || name === '' ? NOT_PROVIDED : name;
  if (object.name === 'Lead') whole.Company ??= NOT_PROVIDED;
  return whole;
}

/** A field of a contact, as the account of a person account has it. Undefined when the account has none. */
function onAccount(account: OrgObject, name: string): string | undefined {
  const names = name.endsWith('__c') ? [name.replace(/__c$/, '__pc')] : [`Person${name}`, name];
  return names.find((candidate) => account.fields.has(candidate));
}
