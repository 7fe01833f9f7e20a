/** What a person is in Salesforce beside what the mapping says of it. Pure. */
import { type CrmPerson, inOrder, type PersonWrite, type Properties } from '@wrapup/destination/engine';
import type { SObject } from '../account/schema.ts';
import { KEY, NOT_PROVIDED, type PersonObject, personObjectOf } from '../objects.ts';
import { phoneFieldsOf } from './candidates.ts';

/** A person of whom nothing but the id is known. */
export function knownById(id: string): CrmPerson {
  return { id, object: personObjectOf(id) ?? 'Contact', properties: {} };
}

/** Object whose records are created for people of that kind. */
export function createdAs(writes: readonly PersonWrite[]): Exclude<PersonObject, 'Account'> {
  return writes[0]?.plan.person?.create_as === 'contact' ? 'Contact' : 'Lead';
}

/** Fields of a new person that must not be dropped. */
export const REQUIRED_OF_NEW: ReadonlySet<string> = new Set([KEY, 'LastName', 'Company']);

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
  object: SObject | undefined,
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
export function onAccount(account: SObject, name: string): string | undefined {
  const names = name.endsWith('__c') ? [name.replace(/__c$/, '__pc')] : [`Person${name}`, name];
  return names.find((candidate) => account.fields.has(candidate));
}
