/**
 * All records of an account and the values that must be unique among them. Checks what must hold between records; what
 * a single value may be was checked before.
 */
import { getOrAdd } from '../../get-or-add.ts';
import type { Journal } from '../../journal.ts';
import { formatMoment } from '../http/forms.ts';
import { HubSpotRefusal, invalid } from '../http/refusal.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { HubSpotSchema } from '../schema/schema.ts';
import { derive } from './derived.ts';

export interface HubSpotRecord {
  type: ObjectType;
  id: string;
  /** Never holds an empty text: a cleared property is absent. */
  properties: Map<string, string>;
  createdAt: Date;
  updatedAt: Date;
  archivedAt?: Date;
}

export interface HubSpotRecordsHooks {
  /** Notified of every change, so that search can see it later. */
  changed(record: HubSpotRecord): void;
  archivedHoldsUniqueValues(): boolean;
}

/** Ids are unique within a type only, and so all types begin with the same one. */
const FIRST_ID = 70_000_000_101;

export class HubSpotRecords {
  readonly #schema: HubSpotSchema;
  readonly #journal: Journal;
  readonly #hooks: HubSpotRecordsHooks;
  readonly #byType = new Map<string, Map<string, HubSpotRecord>>();
  readonly #owners = new Map<string, string>();
  readonly #nextId = new Map<string, number>();

  constructor(schema: HubSpotSchema, journal: Journal, hooks: HubSpotRecordsHooks) {
    this.#schema = schema;
    this.#journal = journal;
    this.#hooks = hooks;
  }

  allocateId(type: ObjectType): string {
    const id = this.#nextId.get(type.id) ?? FIRST_ID;
    this.#nextId.set(type.id, id + 1);
    return String(id);
  }

  /** Also archived ones, in the order of their creation. */
  all(type: ObjectType): HubSpotRecord[] {
    return [...(this.#byType.get(type.id)?.values() ?? [])];
  }

  get(type: ObjectType, id: string, { archived = false } = {}): HubSpotRecord | undefined {
    const record = this.#byType.get(type.id)?.get(id);
    return record && (record.archivedAt !== undefined) === archived ? record : undefined;
  }

  /** The record that holds this value of a unique property; for contacts' `email` also by a further address. */
  findByUnique(type: ObjectType, property: string, value: string): HubSpotRecord | undefined {
    const id = this.#owners.get(ownerKey(type, property, normalise(type, property, value)));
    return id === undefined ? undefined : this.get(type, id);
  }

  /**
   * @param claims unique values that earlier rows of the same request will take, by key; this row's are added
   * @throws Refusal when another record, or an earlier row, has one of the values
   */
  checkUnique(
    type: ObjectType,
    id: string,
    values: Map<string, string>,
    creating: boolean,
    claims: Map<string, string>,
  ): void {
    const wanted = this.#uniqueValues(type, values);
    for (const [property, value] of wanted) {
      const key = ownerKey(type, property, value);
      const owner = claims.get(key) ?? this.#owners.get(key);
      if (owner !== undefined && owner !== id) throw this.#conflict(type, property, value, id, owner, creating);
    }
    for (const [property, value] of wanted) claims.set(ownerKey(type, property, value), id);
  }

  #conflict(
    type: ObjectType,
    property: string,
    value: string,
    id: string,
    owner: string,
    creating: boolean,
  ): HubSpotRefusal {
    if (type.id === '0-1' && property === 'email' && creating) {
      return new HubSpotRefusal(`Contact already exists. Existing ID: ${owner}`, {
        status: 409,
        category: 'CONFLICT',
        existingId: owner,
      });
    }
    const typeText = type.id === '0-1' ? 'ObjectTypeId{legacyObjectType=CONTACT}' : type.id;
    // The first id is the record that was being made and never comes to be; the second is the one that has the value.
    return invalid(
      `Cannot set PropertyValueCoordinates{portalId=${this.#schema.portalId}, objectTypeId=${typeText}, propertyName=${property}, value=${value}} on ${id}. ${owner} already has that value.`,
    );
  }

  create(type: ObjectType, id: string, values: Map<string, string>): HubSpotRecord {
    const now = new Date();
    const record: HubSpotRecord = { type, id, properties: new Map(), createdAt: now, updatedAt: now };
    getOrAdd(this.#byType, type.id, () => new Map<string, HubSpotRecord>()).set(id, record);
    record.properties.set('hs_object_id', id);
    record.properties.set(type.created, formatMoment(now));
    this.#apply(record, values, now);
    this.#journal.add({ effect: 'created', ...this.#entry(record, values) });
    return record;
  }

  update(record: HubSpotRecord, values: Map<string, string>): void {
    // Two writes within one millisecond still follow one another.
    this.#apply(record, values, new Date(Math.max(Date.now(), record.updatedAt.getTime() + 1)));
    this.#journal.add({ effect: 'updated', ...this.#entry(record, values) });
  }

  archive(record: HubSpotRecord): void {
    record.archivedAt = new Date();
    if (!this.#hooks.archivedHoldsUniqueValues()) this.#release(record);
    this.#hooks.changed(record);
    this.#journal.add({ effect: 'archived', ...this.#entry(record) });
  }

  /** Moves what the loser knows to the winner, which also takes its address as a further one. The loser's id is gone. */
  merge(winner: HubSpotRecord, loser: HubSpotRecord): void {
    this.#release(loser);
    loser.archivedAt = new Date();
    this.#hooks.changed(loser);
    const taken = new Map([...loser.properties].filter(([name]) => this.#movable(winner, name)));
    const emails = [loser.properties.get('email'), ...split(loser.properties.get('hs_additional_emails'))].filter(
      (email): email is string => Boolean(email) && email !== (winner.properties.get('email') ?? taken.get('email')),
    );
    const all = [...new Set([...split(winner.properties.get('hs_additional_emails')), ...emails])];
    if (all.length > 0) taken.set('hs_additional_emails', all.join(';'));
    const merged = [...split(winner.properties.get('hs_merged_object_ids')), loser.id];
    taken.set('hs_merged_object_ids', merged.join(';'));
    this.#apply(winner, taken, new Date());
    this.#journal.add({ effect: 'merged', ...this.#entry(loser), to: { object: winner.type.name, id: winner.id } });
  }

  #movable(winner: HubSpotRecord, name: string): boolean {
    const definition = this.#schema.property(winner.type, name);
    return definition !== undefined && !definition.readOnly && !winner.properties.has(name);
  }

  #apply(record: HubSpotRecord, values: Map<string, string>, now: Date): void {
    this.#release(record);
    for (const [name, value] of values) {
      if (value === '') record.properties.delete(name);
      else if (this.#moves(record, name, value)) record.properties.set(name, this.#combine(record, name, value));
    }
    derive(this.#schema, record.type, record.properties);
    record.updatedAt = now;
    record.properties.set(record.type.modified, formatMoment(now));
    for (const [property, value] of this.#uniqueValues(record.type, record.properties)) {
      this.#owners.set(ownerKey(record.type, property, value), record.id);
    }
    this.#hooks.changed(record);
  }

  /** A lifecycle stage only moves forward; to go back it must be cleared first. */
  #moves(record: HubSpotRecord, name: string, value: string): boolean {
    const current = record.properties.get(name);
    if (name !== 'lifecyclestage' || current === undefined) return true;
    const stages = this.#schema.property(record.type, name)?.options.map((option) => option.value) ?? [];
    return stages.indexOf(value) >= stages.indexOf(current);
  }

  /** A value of check boxes that begins with a semicolon adds to what is chosen. */
  #combine(record: HubSpotRecord, name: string, value: string): string {
    const boxes = this.#schema.property(record.type, name)?.fieldType === 'checkbox';
    if (!boxes || !value.startsWith(';')) return value;
    return [...new Set([...split(record.properties.get(name)), ...split(value)])].join(';');
  }

  #release(record: HubSpotRecord): void {
    for (const [property, value] of this.#uniqueValues(record.type, record.properties)) {
      const key = ownerKey(record.type, property, value);
      if (this.#owners.get(key) === record.id) this.#owners.delete(key);
    }
  }

  #uniqueValues(type: ObjectType, values: Map<string, string>): [string, string][] {
    const pairs = this.#schema
      .uniqueProperties(type)
      .map((name): [string, string | undefined] => [name, values.get(name)])
      .filter((pair): pair is [string, string] => Boolean(pair[1]));
    const further = type.id === '0-1' ? split(values.get('hs_additional_emails')) : [];
    return [...pairs, ...further.map((email): [string, string] => ['email', email])];
  }

  #entry(record: HubSpotRecord, values?: Map<string, string>) {
    const unique = Object.fromEntries(this.#uniqueValues(record.type, record.properties).reverse());
    return {
      object: record.type.name,
      id: record.id,
      ...(values && { properties: [...values.keys()] }),
      ...(Object.keys(unique).length > 0 && { unique }),
    };
  }
}

function ownerKey(type: ObjectType, property: string, value: string): string {
  return `${type.id}\n${property}\n${value}`;
}

function normalise(type: ObjectType, property: string, value: string): string {
  return type.id === '0-1' && property === 'email' ? value.trim().toLowerCase() : value;
}

function split(value: string | undefined): string[] {
  return value?.split(';').filter(Boolean) ?? [];
}
