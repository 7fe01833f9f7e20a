/**
 * The requests that this adapter makes, in the words of HubSpot's API and through the official client's methods. Each
 * is a description; `HubSpotTransport` sends it. Answers are read from what HubSpot sent, not from the client's models, which
 * lose the status and what the client's specification does not know.
 */
import type { ApiRequest } from '@wrapup/destination/http';
import type { GeneratedClient } from './generated.ts';

export interface HubSpotApiCall extends ApiRequest {
  /** Values in the request, kept out of messages when HubSpot quotes them. */
  sent?: Iterable<string>;
  /** Has the client build it; or the path to read, for endpoints that the client has no method for. */
  build: ((client: GeneratedClient) => Promise<unknown>) | string;
}

type Build = HubSpotApiCall['build'];

const reading = (name: string, build: Build, more: Partial<HubSpotApiCall> = {}): HubSpotApiCall => ({
  name,
  writes: false,
  build,
  ...more,
});

/** @param inputs what is written; none of its values appears in messages */
const writing = (
  name: string,
  build: Build,
  inputs: { properties: Record<string, string> }[] = [],
): HubSpotApiCall => ({
  name,
  writes: true,
  build,
  sent: inputs.flatMap(({ properties }) => Object.values(properties)),
});

/** HubSpot's limit for batches of objects. */
export const MAX_BATCH = 100;
/** HubSpot's limit for batches of links. */
export const MAX_LINKS = 2000;
/** HubSpot's limit for reading the links of records. */
export const MAX_LINKS_READ = 1000;

export interface Link {
  /** Record id. */
  to: string;
  type: number;
}

interface CreateInput {
  trace: string;
  properties: Record<string, string>;
  links: Link[];
}

export function createRecords(object: string, inputs: CreateInput[]): HubSpotApiCall {
  const body = inputs.map(({ trace, properties, links }) => ({
    objectWriteTraceId: trace,
    properties,
    associations: links.map(({ to, type }) => ({
      to: { id: to },
      types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: type }],
    })),
  }));
  const name = `create ${inputs.length} ${object}`;
  return writing(name, (client) => client.batches.create(object, { inputs: body } as never), inputs);
}

interface UpsertInput {
  trace: string;
  /** The unique property and its value. */
  key: { property: string; value: string };
  properties: Record<string, string>;
}

/** Creates or updates by a unique property. Takes no links. */
export function upsertRecords(object: string, inputs: UpsertInput[]): HubSpotApiCall {
  const body = inputs.map(({ trace, key, properties }) => ({
    objectWriteTraceId: trace,
    idProperty: key.property,
    id: key.value,
    // Created records must carry the key, and answers are matched by it.
    properties: { ...properties, [key.property]: key.value },
  }));
  const name = `upsert ${inputs.length} ${object}`;
  return writing(name, (client) => client.batches.upsert(object, { inputs: body }), inputs);
}

interface UpdateInput {
  trace: string;
  id: string;
  properties: Record<string, string>;
}

export function updateRecords(object: string, inputs: UpdateInput[]): HubSpotApiCall {
  const body = inputs.map(({ trace, id, properties }) => ({ objectWriteTraceId: trace, id, properties }));
  const name = `update ${inputs.length} ${object}`;
  return writing(name, (client) => client.batches.update(object, { inputs: body }), inputs);
}

/** Reads records by id, or by the unique property `by`. */
export function readRecords(object: string, ids: string[], properties: string[], by?: string): HubSpotApiCall {
  const inputs = ids.map((id) => ({ id }));
  const body = { inputs, properties, propertiesWithHistory: [], ...(by === undefined ? {} : { idProperty: by }) };
  const name = `read ${ids.length} ${object}${by === undefined ? '' : ` by ${by}`}`;
  return reading(name, (client) => client.batches.read(object, body), { sent: by === undefined ? [] : ids });
}

export interface SearchFilter {
  property: string;
  /** Any of these. */
  in: string[];
}

/** One page of records that fit all filters of any group. */
export function searchRecords(
  object: string,
  groups: SearchFilter[][],
  properties: string[],
  after?: string,
): HubSpotApiCall {
  const body = searchBody(groups, properties, after);
  return reading(`search ${object}`, (client) => client.searches.doSearch(object, body as never), {
    pool: 'search',
    sent: groups.flat().flatMap((filter) => filter.in),
  });
}

export function searchBody(groups: SearchFilter[][], properties: string[], after?: string): object {
  return {
    filterGroups: groups.map((filters) => ({
      filters: filters.map((filter) => ({ propertyName: filter.property, operator: 'IN', values: filter.in })),
    })),
    properties,
    limit: 200,
    ...(after === undefined ? {} : { after }),
  };
}

/** Records whose property has exactly this value. */
export function searchEqual(object: string, property: string, value: string): HubSpotApiCall {
  const filter = { propertyName: property, operator: 'EQ', value };
  const body = { filterGroups: [{ filters: [filter] }], properties: [], limit: 200 };
  return reading(`search ${object}`, (client) => client.searches.doSearch(object, body as never), { pool: 'search' });
}

/** Records that each is linked to, a page of each. At most `MAX_LINKS_READ` inputs. */
export function readLinked(from: string, to: string, inputs: { id: string; after?: string }[]): HubSpotApiCall {
  const body = { inputs };
  return reading(`read links of ${from} to ${to}`, (client) => client.associations.getPage(from, to, body as never));
}

/** What an object is, apart from its properties: which of them a record needs. */
export function readObjectSchema(object: string): HubSpotApiCall {
  const path = `/crm-object-schemas/v3/schemas/${encodeURIComponent(object)}`;
  return reading(`read the definition of ${object}`, path, { optional: true });
}

/** An object's pipelines, with their stages and what each stage means. */
export function readPipelines(object: string): HubSpotApiCall {
  return reading(`read the pipelines of ${object}`, `/crm/v3/pipelines/${object}`);
}

/** Links pairs of records by their default link. Repeating it changes nothing, so that a lost answer needs no care. */
export function linkRecords(from: string, to: string, pairs: { from: string; to: string }[]): HubSpotApiCall {
  const inputs = pairs.map((pair) => ({ _from: { id: pair.from }, to: { id: pair.to } }));
  const name = `link ${pairs.length} ${from} to ${to}`;
  return reading(name, (client) => client.associations.createDefault(from, to, { inputs }));
}

/** The kinds of links between two objects, with the account's own labels. */
export function readLabels(from: string, to: string): HubSpotApiCall {
  return reading(`read the labels of ${from} to ${to}`, (client) => client.labels.getAll(from, to), { optional: true });
}

/** Sets the label of links. Repeating it changes nothing. */
export function labelRecords(
  from: string,
  to: string,
  pairs: { from: string; to: string; category: string; type: number }[],
): HubSpotApiCall {
  const inputs = pairs.map((pair) => ({
    _from: { id: pair.from },
    to: { id: pair.to },
    types: [{ associationCategory: pair.category, associationTypeId: pair.type }],
  }));
  const name = `label ${pairs.length} links of ${from} to ${to}`;
  return reading(name, (client) => client.associations.create(from, to, { inputs } as never), { optional: true });
}

/** Takes every link between the pairs off. Repeating it changes nothing; HubSpot answers nothing. */
export function unlinkRecords(from: string, to: string, pairs: { from: string; to: string }[]): HubSpotApiCall {
  const inputs = pairs.map((pair) => ({ _from: { id: pair.from }, to: [{ id: pair.to }] }));
  const name = `unlink ${pairs.length} ${from} from ${to}`;
  return reading(name, (client) => client.associations.archive(from, to, { inputs } as never));
}

export function readProperties(object: string): HubSpotApiCall {
  return reading(`read the properties of ${object}`, (client) => client.properties.getAll(object, false));
}

export function readProperty(object: string, name: string): HubSpotApiCall {
  const build: Build = (client) => client.properties.getByName(object, name);
  return reading(`read the property ${object}.${name}`, build, { optional: true });
}

export interface HubSpotPropertyDefinition {
  name: string;
  label: string;
  description: string;
  type: string;
  fieldType: string;
  groupName: string;
  hasUniqueValue: boolean;
  options?: { label: string; value: string; displayOrder: number; hidden: boolean }[];
}

export function createProperty(object: string, definition: HubSpotPropertyDefinition): HubSpotApiCall {
  const name = `create the property ${object}.${definition.name}`;
  return writing(name, (client) => client.properties.create(object, definition as never));
}

export function createPropertyGroup(object: string, name: string, label: string): HubSpotApiCall {
  const group = { name, label, displayOrder: -1 };
  return writing(`create the property group ${name} of ${object}`, (client) =>
    client.propertyGroups.create(object, group),
  );
}

/** A page of the account's active owners. */
export function listOwners(after: string | undefined): HubSpotApiCall {
  const build: Build = (client) => client.owners.getPage(undefined, after, 500, false);
  return reading('read the owners', build, { optional: true });
}

/** Proves the token and that it may read contacts. */
export function readOneContact(): HubSpotApiCall {
  return reading('read one contact', (client) => client.records.getPage('contacts', 1));
}

/** Account id, data hosting location and time zone. */
export function readAccount(version: string): HubSpotApiCall {
  return reading('read the account', `/account-info/${version}/details`);
}
