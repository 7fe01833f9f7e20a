/**
 * The org's own definitions: which fields an object has, what they take, which statuses close a task, in which time zone
 * its days begin. Read together in one request, remembered by all processes for a while.
 */

import { asList, asObject, asText } from '@wrapup/destination/http';
import { isTimeZone } from '@wrapup/mapping';
import { type CompositePart, describePath, MAX_QUERIES, MAX_SUBREQUESTS, queryPath } from '../client/api.ts';
import { definitionKey, type PartAnswer, sendParts } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { failureOf, readVendorError, unaccounted } from '../errors/classify.ts';

export interface OrgField {
  name: string;
  /** `string`, `textarea`, `picklist`, `reference`, `boolean`, `datetime`, … */
  type: string;
  /** Characters that it takes; 0 where that says nothing. */
  length: number;
  /** Digits after the point that a number keeps. */
  scale?: number;
  createable: boolean;
  updateable: boolean;
  nillable: boolean;
  defaulted: boolean;
  filterable: boolean;
  unique: boolean;
  external: boolean;
  /** The only values it takes; absent when it takes any. */
  values?: string[];
  /** Objects that it may point at. */
  references: string[];
}

export interface OrgObject {
  name: string;
  fields: Map<string, OrgField>;
}

export interface OrgDefinitions {
  /** By name; undefined for an object that the org does not have or the user does not see. */
  object(name: string): OrgObject | undefined;
  /** The statuses of tasks that are done, in the org's order; it names them as it likes. */
  closed_statuses: string[];
  /** IANA name. */
  time_zone: string;
}

/** Ms that definitions are remembered, and that an absent object is. Short, so that what was provisioned is soon known. */
const KEPT_MS = 10 * 60_000;
const ABSENT_KEPT_MS = 60_000;

const SETTINGS = 'org';

/** Objects that every write needs. */
export const CORE = ['Contact', 'Lead', 'Account', 'Task'] as const;

interface Facts {
  closed_statuses: string[];
  time_zone: string;
}

/**
 * Definitions of these objects and of the core ones.
 * @throws SalesforceFailure when they cannot be read
 */
export async function readOrg(
  session: SalesforceSession,
  objects: Iterable<string>,
  { plans = [], fresh = false }: { plans?: number[]; fresh?: boolean } = {},
): Promise<OrgDefinitions> {
  const names = [...new Set([...CORE, ...objects])];
  const known = new Map<string, OrgObject | undefined>();
  let facts: Facts | undefined;
  if (!fresh) {
    const kept = await Promise.all([SETTINGS, ...names.map(definitionKey)].map((key) => session.ctx.memory.get(key)));
    if (kept[0] !== undefined) facts = JSON.parse(kept[0]) as Facts;
    for (const [index, name] of names.entries()) {
      const text = kept[index + 1];
      if (text !== undefined) known.set(name, parseDefinition(session, name, text));
    }
  }
  const missing = names.filter((name) => !known.has(name));
  if (missing.length === 0 && facts) return { object: (name) => known.get(name), ...facts };
  const asked = await ask(session, missing, facts, plans);
  return { object: (name) => known.get(name) ?? asked.objects.get(name), ...asked.facts };
}

async function ask(
  session: SalesforceSession,
  objects: string[],
  known: Facts | undefined,
  plans: number[],
): Promise<{ objects: Map<string, OrgObject | undefined>; facts: Facts }> {
  let facts = known;
  const found = new Map<string, OrgObject | undefined>();
  const room = MAX_SUBREQUESTS - MAX_QUERIES;
  for (let start = 0; start === 0 || start < objects.length; start += room) {
    const part = objects.slice(start, start + room);
    const parts: CompositePart[] = part.map((object, index) => ({ ref: `object${index}`, path: describePath(object) }));
    if (!facts) parts.push(...FACT_QUERIES);
    const answers = await sendParts(session, 'read the definitions', parts, plans);
    for (const [index, object] of part.entries()) {
      const { status, body } = answers.get(`object${index}`) ?? { status: 0, body: undefined };
      if (status >= 300 && status !== 404)
        throw failureOf(readVendorError(status, body), { doing: `read the definition of ${object}` });
      const fields = status === 404 ? null : asList(asObject(body).fields).map(toField);
      if (fields?.length === 0) throw unaccounted(`read the definition of ${object}`);
      found.set(object, toSObject(object, fields));
      await session.ctx.memory.set(definitionKey(object), JSON.stringify(fields), fields ? KEPT_MS : ABSENT_KEPT_MS);
    }
    if (!facts) {
      facts = readFacts(answers);
      await session.ctx.memory.set(SETTINGS, JSON.stringify(facts), KEPT_MS);
    }
  }
  return { objects: found, facts: facts ?? { closed_statuses: [], time_zone: 'UTC' } };
}

const FACT_QUERIES: CompositePart[] = [
  {
    ref: 'statuses',
    path: queryPath('SELECT ApiName, MasterLabel FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder'),
  },
  { ref: 'organization', path: queryPath('SELECT Id, TimeZoneSidKey FROM Organization') },
];

/** What cannot be read of them is left to the org's defaults: it fails no call. */
function readFacts(answers: Map<string, PartAnswer>): Facts {
  const records = (ref: string) => asList(asObject(answers.get(ref)?.body).records).map(asObject);
  const statuses = records('statuses').map(({ ApiName, MasterLabel }) => asText(ApiName) || asText(MasterLabel));
  const zone = asText(records('organization')[0]?.TimeZoneSidKey);
  return { closed_statuses: statuses.filter((status) => status !== ''), time_zone: isTimeZone(zone) ? zone : 'UTC' };
}

function parseDefinition({ parsed }: SalesforceSession, name: string, text: string): OrgObject | undefined {
  const last = parsed.get(name);
  if (last?.text === text) return last.value as OrgObject | undefined;
  const value = toSObject(name, JSON.parse(text) as OrgField[] | null);
  parsed.set(name, { text, value });
  return value;
}

function toSObject(name: string, fields: OrgField[] | null): OrgObject | undefined {
  return fields ? { name, fields: new Map(fields.map((field) => [field.name, field])) } : undefined;
}

const NUMBERS: ReadonlySet<string> = new Set(['double', 'currency', 'percent']);

/** Of the hundred things that a definition says of a field, those that decide something here. */
function toField(item: unknown): OrgField {
  const field = asObject(item);
  const type = asText(field.type);
  const restricted = field.restrictedPicklist === true;
  const values = asList(field.picklistValues)
    .map(asObject)
    .filter(({ active }) => active !== false)
    .map(({ value }) => asText(value));
  return {
    name: asText(field.name),
    type,
    length: typeof field.length === 'number' ? field.length : 0,
    ...(typeof field.scale === 'number' && NUMBERS.has(type) ? { scale: field.scale } : {}),
    createable: field.createable === true,
    updateable: field.updateable === true,
    nillable: field.nillable === true,
    defaulted: field.defaultedOnCreate === true,
    filterable: field.filterable === true,
    unique: field.unique === true,
    external: field.externalId === true,
    references: asList(field.referenceTo).filter((name): name is string => typeof name === 'string'),
    ...(restricted && values.length > 0 ? { values } : {}),
  };
}
