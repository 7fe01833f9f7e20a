/** Compares mappings with the org's own definitions, before a call fails on them. */
import type { Context } from '@wrapup/destination';
import { checkOrder, checkOwners, checkRequired, type OwnerWords, quoteAll } from '@wrapup/destination/check';
import { type Finding, suggest } from '@wrapup/findings';
import type { CompiledMapping, MappedField } from '@wrapup/mapping';
import { CALL_OBJECT, CONTACT_ROLE, WATERMARK } from '../client/objects.ts';
import { SalesforceSession, type SalesforceTransport } from '../client/transport.ts';
import { isOurs } from '../errors/error-table.ts';
import { describeStep, keyStepOf } from '../keys/key-ladder.ts';
import { canBeFoundBy } from '../records/record-search.ts';
import { ownerSource } from '../records/record-verbs.ts';
import { type OrgDefinitions, type OrgField, type OrgObject, readOrg } from '../schema/org.ts';
import { fitValue } from '../schema/values.ts';

/** @throws the failure when the definitions cannot be read */
export async function checkMappings(
  transport: SalesforceTransport,
  mappings: CompiledMapping[],
  ctx: Context,
): Promise<Finding[]> {
  const session = new SalesforceSession(transport, ctx);
  const fields = mappings.flatMap((mapping) => mapping.fields);
  const objects = fields.filter(({ record }) => record !== 'person').map(({ object }) => object);
  const related = mappings.flatMap(({ records }) => records.flatMap((record) => record.related ?? []));
  for (const { object, find } of mappings.flatMap(({ records }) => records))
    if (find?.by === 'open') related.push({ object, at: find.at });
  for (const { object, at } of [...related]) if (object === 'Opportunity') related.push({ object: CONTACT_ROLE, at });
  const read = related.map(({ object }) => object);
  const org = await readOrg(session, [...objects, ...read, CALL_OBJECT], { fresh: true });
  const findings = [...new Set(['Task', 'Lead', 'Contact', ...objects])].flatMap((name) => checkKey(org, name));
  for (const { object, at } of related) if (!org.object(object)) findings.push({ ...noObject(object, 'error'), at });
  if (fields.some(({ write }) => write === 'if_newer')) findings.push(...checkWatermark(org));
  const requires = (object: string) => requiredOf(org, object);
  findings.push(...mappings.flatMap((mapping) => checkRequired('Salesforce', mapping, requires)));
  for (const field of fields) {
    if (field.owners !== undefined) continue;
    findings.push(...(field.record === 'person' ? checkPerson(org, field) : checkRecord(org, field)));
    findings.push(...checkOrder(field, org.object(field.object)?.fields.get(field.property)?.values ?? []));
  }
  return [...findings, ...(await checkOwners(ctx, fields, ownerSource(session), OWNERS))];
}

const PROVISION = 'Run `wrapup provision --deploy`, or `--out wrapup.zip` and deploy that.';

function noObject(name: string, severity: Finding['severity']): Finding {
  return {
    severity,
    code: 'missing-object',
    message: `The org has no object ${name}, or the integration user may not see it.`,
    hint: 'Give the user access to the object, or correct its name in the mapping.',
  };
}

/** Leads and contacts without a key can be distinguished by number and address; nothing else can. */
function checkKey(org: OrgDefinitions, name: string): Finding[] {
  const object = org.object(name);
  if (!object) return [noObject(name, name === 'Lead' || name === 'Contact' ? 'warning' : 'error')];
  const step = keyStepOf(org, object);
  if (step?.step === 'key' || step?.step === 'one_each') return [];
  const person = name === 'Lead' || name === 'Contact';
  const says = person
    ? `${name} has no unique key: who is new is looked up by number and address instead, which two workers could do at once.`
    : describeStep(object, step);
  return [{ severity: step || person ? 'warning' : 'error', code: 'missing-key', message: says, hint: PROVISION }];
}

function checkWatermark(org: OrgDefinitions): Finding[] {
  const without = ['Lead', 'Contact'].filter((name) => org.object(name) && !org.object(name)?.fields.has(WATERMARK));
  if (without.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'missing-watermark',
      message: `${without.join(' and ')}: no field ${WATERMARK}; which call is the newest is then remembered outside Salesforce only.`,
      hint: PROVISION,
    },
  ];
}

/** Objects that are made from what a call is, or whose rules are more than their definition says. */
const FILLED: ReadonlySet<string> = new Set(['Task', 'Event']);

/** Fields that a record cannot be made without, and that no link to a person fills. */
function requiredOf(org: OrgDefinitions, name: string): string[] {
  const object = FILLED.has(name) ? undefined : org.object(name);
  return [...(object?.fields.values() ?? [])]
    .filter(({ createable, nillable, defaulted, type }) => createable && !nillable && !defaulted && type !== 'boolean')
    .filter(({ references }) => !isPerson(references))
    .map((field) => field.name);
}

const isPerson = (references: string[]) => references.includes('Contact') || references.includes('Lead');

/** A person is a lead or a contact: what one of them has is enough. */
function checkPerson(org: OrgDefinitions, field: MappedField): Finding[] {
  const kinds = (['Lead', 'Contact'] as const).flatMap((name) => org.object(name) ?? []);
  const having = kinds.filter((object) => object.fields.has(field.property));
  if (having.length === 0) return missing(field, 'Leads and contacts have', kinds.flatMap(namesOf));
  // Where both have it, a value that one of them takes is right.
  const problems = having.map((object) => problemOf(org, object, field));
  const [first] = problems;
  return first && problems.every((problem) => problem !== undefined) ? [first] : [];
}

function checkRecord(org: OrgDefinitions, field: MappedField): Finding[] {
  const object = org.object(field.object);
  if (!object) return [];
  if (!object.fields.has(field.property)) return missing(field, `${field.object} has`, namesOf(object));
  const problem = problemOf(org, object, field);
  return problem ? [problem] : [];
}

function namesOf({ fields }: OrgObject): string[] {
  return [...fields.keys()];
}

function missing({ property, at }: MappedField, who: string, names: string[]): Finding[] {
  const near = suggest(property, names);
  const hint = isOurs(property)
    ? PROVISION
    : near.startsWith('did you')
      ? near
      : 'Create it in Salesforce, give the integration user access to it, or take it out of the mapping.';
  return [
    {
      severity: 'error',
      code: 'missing-property',
      message: `${who} no field ${property} that the user sees.`,
      hint,
      at,
    },
  ];
}

function problemOf(
  org: OrgDefinitions,
  object: OrgObject,
  { record, property, use, values = [], order = [], at }: MappedField,
): Finding | undefined {
  const field = object.fields.get(property);
  if (!field || (use === 'read' && record === 'person')) return undefined;
  const finding = (code: string, message: string, hint: string): Finding => ({
    severity: 'error',
    code,
    message,
    hint,
    at,
  });
  if (use === 'read')
    return canBeFoundBy(field)
      ? undefined
      : finding(
          'not-found-by',
          `No ${object.name} is found by ${property}: it is a field of type ${field.type}.`,
          'Find it by a text that can be filtered by, a number, a choice or an id.',
        );
  if (!field.createable && !field.updateable)
    return finding(
      'read-only',
      `${object.name}.${property} cannot be written: Salesforce computes it, or the user may not.`,
      'Take it out of the mapping, or give the integration user access to it.',
    );
  const wrong = [...values, ...order].filter((value) => value !== '' && !fitValue(field, value, org.time_zone).ok);
  if (wrong.length === 0) return undefined;
  return finding(
    field.values ? 'unknown-option' : 'wrong-type',
    `${object.name}.${property} does not take ${quoteAll(wrong.map(String))}.`,
    hintFor(field),
  );
}

function hintFor({ values, type }: OrgField): string {
  return values
    ? `It takes ${quoteAll(values.slice(0, 20))}.`
    : `It is a field of type ${type}: correct the value, or the field.`;
}

const OWNERS: OwnerWords = {
  owner: 'active user or queue of the org',
  access: 'Give the integration user View All Users, or name owners by their id.',
  naming: 'Use the e-mail address or the id of an active user, or the id of a queue (Setup, Users).',
};
