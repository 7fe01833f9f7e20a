/** Putting things into an account without asking its API: what was there before a test begins. */
import type { Account } from '../hubspot/account.ts';
import { asArray, asId, asObject } from '../hubspot/http/endpoint.ts';
import { invalid } from '../hubspot/http/refusal.ts';
import { readDefinition } from '../hubspot/schema/define.ts';
import { STAGED } from '../hubspot/schema/pipelines.ts';
import { options } from '../hubspot/schema/property.ts';
import type { Pipeline } from '../hubspot/schema/schema.ts';
import { type SalesforceSeed, seedOrg } from '../salesforce/seed.ts';
import type { Sandbox } from '../sandbox.ts';
import { type SeededRecord, seedRecord } from './seed-record.ts';

export interface Seed {
  /** Objects that HubSpot has and accounts begin without, by name: `leads`, `listings`, `services`, `appointments`, `courses`. */
  objects?: string[];
  /** Custom objects of the account. */
  custom_objects?: { id: string; name: string; required?: string[] }[];
  /** Properties by object, as the properties API takes them; the group may be left out. */
  properties?: Record<string, Record<string, unknown>[]>;
  /** Options of an enumeration, by object and property: replaces those that were there. */
  options?: Record<string, Record<string, string[]>>;
  /** Pipelines of deals or tickets, with their stages: replace those that were there. A stage is open unless it says `closed`. */
  pipelines?: Record<
    string,
    { id: string; label?: string; stages: { id: string; label?: string; closed?: boolean }[] }[]
  >;
  /** Owners: a new one, or what changes about one that is there. An archived one can own nothing more. */
  owners?: { id: string; email?: string; first_name?: string; last_name?: string; archived?: boolean }[];
  /** Records by object. Values are checked as the API checks them, but what is required may be missing. */
  records?: Record<string, SeededRecord[]>;
  /** What to put into Salesforce; all else here goes into HubSpot. */
  salesforce?: SalesforceSeed;
}

/**
 * @returns ids of the new records, by object and in the order given. The two vendors name no object alike: `contacts` is
 * HubSpot's, `Contact` Salesforce's
 * @throws Refusal of the one or the other
 */
export function seed(sandbox: Sandbox, given: unknown): Record<string, string[]> {
  const { salesforce = {}, ...hubspot } = asObject(given, 'the seed');
  return {
    ...seedAccount(sandbox.hubspot, hubspot),
    ...seedOrg(sandbox.salesforce, asObject(salesforce, '"salesforce"') as SalesforceSeed),
  };
}

function seedAccount(account: Account, given: Record<string, unknown>): Record<string, string[]> {
  const {
    objects = [],
    custom_objects = [],
    properties = {},
    options: choices = {},
    pipelines = {},
    owners = [],
    records = {},
    ...rest
  } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw invalid(
      `A seed has no "${unknown}"; it has objects, custom_objects, properties, options, pipelines, owners, records and salesforce`,
    );
  for (const name of asArray(objects, '"objects"'))
    if (!account.schema.switchOn(asId(name, 'an object')))
      throw invalid(`HubSpot has no object "${String(name)}" that could be switched on`);
  for (const item of asArray(custom_objects, '"custom_objects"'))
    seedObject(account, asObject(item, 'a custom object'));
  for (const [object, list] of Object.entries(asObject(properties, '"properties"'))) {
    for (const item of asArray(list, `properties of ${object}`))
      seedProperty(account, object, asObject(item, 'a property'));
  }
  for (const [object, byName] of Object.entries(asObject(choices, '"options"'))) {
    for (const [name, values] of Object.entries(asObject(byName, `options of ${object}`))) {
      seedOptions(account, object, name, asArray(values, `options of ${name}`).map(String));
    }
  }
  for (const [object, list] of Object.entries(asObject(pipelines, '"pipelines"')))
    seedPipelines(account, object, asArray(list, `pipelines of ${object}`));
  for (const item of asArray(owners, '"owners"')) seedOwner(account, asObject(item, 'an owner'));
  const made: Record<string, string[]> = {};
  for (const [object, list] of Object.entries(asObject(records, '"records"'))) {
    const ids: string[] = [];
    made[object] = ids;
    for (const item of asArray(list, `records of ${object}`))
      ids.push(seedRecord(account, object, asObject(item, 'a record'), made).id);
  }
  return made;
}

function seedObject(account: Account, { id, name, required = [] }: Record<string, unknown>): void {
  const given = asId(id, '"id"');
  if (!/^2-\d+$/.test(given)) throw invalid(`A custom object's id is "2-" and digits, not "${given}"`);
  const others = [...account.schema.types];
  const type = account.schema.addCustomObject(
    given,
    asId(name, '"name"'),
    asArray(required, '"required"').map(String),
    [],
  );
  account.associations.types.addCustomObject(type, others);
}

function seedProperty(account: Account, object: string, item: Record<string, unknown>): void {
  const type = account.schema.type(object);
  const [groupName] = account.schema.groups(type).keys();
  const whole = { label: item.name, type: 'string', fieldType: 'text', groupName, ...item };
  account.schema.put(type, readDefinition(account.schema, type, whole));
}

function seedOptions(account: Account, object: string, name: string, values: string[]): void {
  const type = account.schema.type(object);
  const definition = account.schema.property(type, name);
  if (!definition) throw invalid(`${object} has no property "${name}"`);
  account.schema.put(type, { ...definition, options: options(values) });
}

function seedPipelines({ schema }: Account, object: string, list: unknown[]): void {
  const type = schema.type(object);
  const names = STAGED[type.name];
  if (!names) throw invalid(`${type.name} have no pipelines; ${Object.keys(STAGED).join(' and ')} have`);
  const named = (item: unknown, what: string) => {
    const { id, label, stages, closed } = asObject(item, what);
    const name = asId(label ?? id, `the label of ${what}`);
    return { id: asId(id, `the id of ${what}`), label: name, stages, closed: closed === true };
  };
  const pipelines = list.map((item): Pipeline => {
    const { id, label, stages } = named(item, 'a pipeline');
    const all = asArray(stages, `stages of ${id}`).map((stage) => named(stage, 'a stage'));
    return { id, label, stages: all.map(({ stages: _, ...stage }) => stage) };
  });
  schema.pipelines.set(type.name, pipelines);
  const choose = (name: string, all: { id: string; label: string }[]) => {
    const definition = schema.property(type, name);
    const byLabel = all.map(({ id, label }, displayOrder) => ({ value: id, label, displayOrder, hidden: false }));
    if (definition) schema.put(type, { ...definition, options: byLabel });
  };
  choose(names.pipeline, pipelines);
  choose(
    names.stage,
    pipelines.flatMap(({ stages }) => stages),
  );
}

function seedOwner({ schema }: Account, item: Record<string, unknown>): void {
  const { id, email, first_name, last_name, archived } = item;
  const given = asId(id, '"id"');
  const known = schema.owners.find((owner) => owner.id === given);
  const owner = known ?? {
    id: given,
    email: `owner-${given}@example.com`,
    firstName: 'Owner',
    lastName: given,
    userId: Number(given) + 10_000_000,
    archived: false,
  };
  if (email !== undefined) owner.email = asId(email, '"email"').toLowerCase();
  if (first_name !== undefined) owner.firstName = asId(first_name, '"first_name"');
  if (last_name !== undefined) owner.lastName = asId(last_name, '"last_name"');
  if (archived !== undefined) owner.archived = archived === true;
  if (!known) schema.owners.push(owner);
}
