/** What several calls make of one person: one write, in the order in which the calls ended. Pure. */

import type { Failure } from '@wrapup/destination';
import { inOrder, type Job, type Properties, takeTurns } from '@wrapup/destination/delivery';
import type { Dropped } from '@wrapup/destination/engine';
import type { FieldWrite } from '@wrapup/mapping';
import { fitFields, isOfOtherPerson } from './account/fields.ts';
import type { Org, SObject } from './account/schema.ts';
import { fitValue } from './account/values.ts';
import { phoneFieldsOf } from './candidates.ts';
import { KEY, NOT_PROVIDED, type PersonObject, WATERMARK } from './objects.ts';
import { decideFields } from './write-modes.ts';

export interface Patch {
  fields: Record<string, unknown>;
  /** Fields that were left out, by job. */
  dropped: Map<Job, Dropped[]>;
  /** Jobs of which a field was refused that may not be left out. */
  refused: Map<Job, Failure>;
}

export interface Patching {
  org: Org;
  object: SObject;
  /** False: a refused field fails the call instead of being left out. */
  drop: boolean;
  /** The person's values; undefined for one to be created. */
  current: Properties | undefined;
  /** Epoch ms when the last call ended that was written to the person, where that is known. */
  watermark: number | undefined;
}

/** The fields to write. */
export function makePatch(jobs: Job[], { org, object, drop, current, watermark }: Patching): Patch {
  const patch: Patch = { fields: {}, dropped: new Map(), refused: new Map() };
  const state = current && withoutPlaceholders(current, jobs);
  const latest = takeTurns(jobs, state, watermark, (job, now, call) => {
    const { fields, dropped, refused } = fitFields(object, job.plan.person?.fields ?? [], {
      verb: current === undefined ? 'create' : 'update',
      time_zone: org.time_zone,
      drop,
      elsewhere: (name) => isOfOtherPerson(org, object, name),
    });
    patch.dropped.set(job, dropped);
    if (refused) {
      patch.refused.set(job, refused);
      return undefined;
    }
    const decisions = decideFields(object, fields, now, call).filter(({ applies }) => applies);
    const written = Object.fromEntries(
      decisions.map(({ field, to }) => [field.name, field.write === 'append' ? fitted(object, field, to, org) : to]),
    );
    Object.assign(patch.fields, written);
    return written;
  });
  const known = object.fields.get(WATERMARK);
  if (latest !== undefined && (known?.updateable || known?.createable))
    patch.fields[WATERMARK] = new Date(latest).toISOString();
  return patch;
}

function fitted(object: SObject, { name }: FieldWrite, value: FieldWrite['value'], org: Org): FieldWrite['value'] {
  const known = object.fields.get(name);
  const fit = known && fitValue(known, value, org.time_zone);
  return fit?.ok ? fit.value : value;
}

/** Names that stand for no name count as none: the next call may say the real one. */
function withoutPlaceholders(current: Properties, jobs: Job[]): Properties {
  const invented = new Set([NOT_PROVIDED, ...jobs.flatMap(({ plan }) => plan.person?.fallback.name ?? [])]);
  const known = { ...current };
  for (const name of ['LastName', 'Company'])
    if (typeof known[name] === 'string' && invented.has(known[name])) known[name] = null;
  return known;
}

/** What a person needs in addition when it is created: a name, a lead a company, and the number by which the next call finds it. */
export function addIdentity(fields: Record<string, unknown>, jobs: Job[], object: SObject): Record<string, unknown> {
  const whole = { ...fields };
  for (const name of Object.keys(whole)) if (whole[name] === null || whole[name] === '') delete whole[name];
  const numbers = phoneFieldsOf(object);
  for (const { plan } of inOrder(jobs)) {
    const { phone, email } = plan.person?.fallback ?? {};
    if (phone && !numbers.some((name) => whole[name] !== undefined)) whole.Phone = phone;
    if (email && object.fields.has('Email')) whole.Email ??= email;
  }
  const name = jobs[0]?.plan.person?.fallback.name ?? '';
  whole.LastName ??= whole.FirstName !== undefined || name === '' ? NOT_PROVIDED : name;
  if (object.name === 'Lead') whole.Company ??= NOT_PROVIDED;
  return whole;
}

/** A field of a contact, as the account of a person account has it. Undefined when the account has none. */
export function onAccount(account: SObject, name: string): string | undefined {
  const names = name.endsWith('__c') ? [name.replace(/__c$/, '__pc')] : [`Person${name}`, name];
  return names.find((candidate) => account.fields.has(candidate));
}

/** Object whose records are created for people of that kind. */
export function createdAs(jobs: Job[]): Exclude<PersonObject, 'Account'> {
  return jobs[0]?.plan.person?.create_as === 'contact' ? 'Contact' : 'Lead';
}

/** Fields of a new person that must not be dropped. */
export const REQUIRED_OF_NEW: ReadonlySet<string> = new Set([KEY, 'LastName', 'Company']);
