/**
 * All records of an org and the values that must be unique among them. A deleted record stays until it is purged:
 * `queryAll` sees it, and its unique values are free again.
 */
import { getOrAdd } from '../../get-or-add.ts';
import type { Journal } from '../../journal.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SObjectField } from '../schema/field.ts';
import { makeId } from '../schema/ids.ts';
import type { SObject } from '../schema/sobject.ts';
import type { FieldValue } from './values.ts';

export interface StoredSObject {
  object: SObject;
  /** 18 characters. */
  id: string;
  /** Never holds null: an empty field is absent. */
  values: Map<string, FieldValue>;
  deletedAt?: Date;
  /** The winner of a merge, whose loser is deleted. */
  mergedInto?: string;
}

export interface SalesforceRecordsHooks {
  /** Notified of every change, so that search can see it later. */
  changed(record: StoredSObject): void;
}

/** Values, null where a field is cleared. */
export type Changes = ReadonlyMap<string, FieldValue | null>;

export class SalesforceRecords {
  readonly #journal: Journal;
  readonly #hooks: SalesforceRecordsHooks;
  readonly #byObject = new Map<string, Map<string, StoredSObject>>();
  readonly #owners = new Map<string, string>();
  readonly #counters = new Map<string, number>();
  #undo: (() => void)[] | undefined;

  constructor(journal: Journal, hooks: SalesforceRecordsHooks) {
    this.#journal = journal;
    this.#hooks = hooks;
  }

  /** Also deleted ones, in the order of their creation. */
  all(object: SObject): StoredSObject[] {
    return [...(this.#byObject.get(object.name)?.values() ?? [])];
  }

  live(object: SObject): StoredSObject[] {
    return this.all(object).filter(({ deletedAt }) => !deletedAt);
  }

  /** @param id of 18 characters */
  get(object: SObject, id: string): StoredSObject | undefined {
    return this.#byObject.get(object.name)?.get(id);
  }

  /** Records that are there and have this value, whatever its case. One at most when the field is unique. */
  findBy(object: SObject, field: SObjectField, value: string): StoredSObject[] {
    if (field.unique) {
      const id = this.#owners.get(ownerKey(object, field, value));
      const found = id === undefined ? undefined : this.get(object, id);
      return found ? [found] : [];
    }
    const wanted = fold(field, value);
    return this.live(object).filter(({ values }) => {
      const own = values.get(field.name);
      return own !== undefined && fold(field, String(own)) === wanted;
    });
  }

  /** Next number of a counter of the org: case numbers, ids. */
  next(counter: string): number {
    const n = (this.#counters.get(counter) ?? 0) + 1;
    this.#counters.set(counter, n);
    return n;
  }

  /** @throws Refusal DUPLICATE_VALUE when another record has one of the values */
  checkUnique(object: SObject, id: string | undefined, changes: Changes): void {
    for (const [field, value] of uniqueValues(object, changes)) {
      const owner = this.#owners.get(ownerKey(object, field, value));
      if (owner !== undefined && owner !== id) throw duplicateValue(field, owner);
    }
  }

  create(object: SObject, changes: Changes, at: string, by: string): StoredSObject {
    const id = makeId(object.keyPrefix, this.next(object.name));
    const record: StoredSObject = { object, id, values: new Map() };
    record.values.set('Id', id).set('IsDeleted', false).set('CreatedDate', at).set('CreatedById', by);
    const ofObject = getOrAdd(this.#byObject, object.name, () => new Map<string, StoredSObject>());
    ofObject.set(id, record);
    this.#undo?.push(() => {
      this.#release(record);
      ofObject.delete(id);
      record.deletedAt = new Date(0);
      this.#hooks.changed(record);
    });
    this.#apply(record, changes, at, by);
    this.#journal.add({ effect: 'created', ...entryOf(record, changes) });
    return record;
  }

  update(record: StoredSObject, changes: Changes, at: string, by: string): void {
    const before = new Map(record.values);
    this.#undo?.push(() => {
      this.#release(record);
      record.values = before;
      this.#claim(record);
      this.#hooks.changed(record);
    });
    this.#release(record);
    this.#apply(record, changes, at, by);
    this.#journal.add({ effect: 'updated', ...entryOf(record, changes) });
  }

  /** Computed values: no client writes them, and no listener is notified. */
  derive(record: StoredSObject, changes: Changes): void {
    this.#release(record);
    this.#set(record, changes);
    this.#claim(record);
    this.#hooks.changed(record);
  }

  remove(record: StoredSObject, at: Date, mergedInto?: string): void {
    const before = new Map(record.values);
    this.#undo?.push(() => {
      delete record.deletedAt;
      record.values = before;
      this.#claim(record);
      this.#hooks.changed(record);
    });
    this.#release(record);
    record.deletedAt = at;
    record.values.set('IsDeleted', true);
    if (mergedInto !== undefined) {
      record.mergedInto = mergedInto;
      record.values.set('MasterRecordId', mergedInto);
    }
    this.#hooks.changed(record);
    this.#journal.add({
      effect: mergedInto === undefined ? 'archived' : 'merged',
      ...entryOf(record),
      ...(mergedInto !== undefined && { to: { object: record.object.name, id: mergedInto } }),
    });
  }

  /** What the work wrote stays when it says so, and never was otherwise. The work must be synchronous. */
  transaction(work: () => boolean): void {
    const outer = this.#undo;
    const undo: (() => void)[] = [];
    this.#undo = undo;
    const entries = this.#journal.entries.length;
    try {
      if (work()) {
        outer?.push(...undo);
        return;
      }
      for (const step of undo.toReversed()) step();
      this.#journal.entries.length = entries;
    } finally {
      this.#undo = outer;
    }
  }

  #apply(record: StoredSObject, changes: Changes, at: string, by: string): void {
    this.#set(record, changes);
    record.values.set('LastModifiedDate', at).set('SystemModstamp', at).set('LastModifiedById', by);
    this.#claim(record);
    this.#hooks.changed(record);
  }

  #set({ values }: StoredSObject, changes: Changes): void {
    for (const [name, value] of changes) {
      if (value === null) values.delete(name);
      else values.set(name, value);
    }
  }

  #claim(record: StoredSObject): void {
    for (const [field, value] of uniqueValues(record.object, record.values)) {
      this.#owners.set(ownerKey(record.object, field, value), record.id);
    }
  }

  #release(record: StoredSObject): void {
    for (const [field, value] of uniqueValues(record.object, record.values)) {
      const key = ownerKey(record.object, field, value);
      if (this.#owners.get(key) === record.id) this.#owners.delete(key);
    }
  }
}

export function duplicateValue(field: SObjectField, owner: string): SalesforceRefusal {
  return new SalesforceRefusal(
    'DUPLICATE_VALUE',
    `duplicate value found: ${field.name} duplicates value on record with id: ${owner}`,
    { fields: [] },
  );
}

function fold(field: SObjectField, value: string): string {
  return field.caseSensitive ? value : value.toLowerCase();
}

/** A field that objects share is unique among the records of them all. */
function ownerKey(object: SObject, field: SObjectField, value: string): string {
  return `${field.sharedAs ?? object.name}\n${field.name}\n${fold(field, value)}`;
}

function uniqueValues(object: SObject, values: Changes): [SObjectField, string][] {
  return [...object.fields.values()]
    .filter(({ unique }) => unique)
    .map((field): [SObjectField, FieldValue | null | undefined] => [field, values.get(field.name)])
    .filter((pair): pair is [SObjectField, string] => typeof pair[1] === 'string');
}

function entryOf({ object, id, values }: StoredSObject, changes?: Changes) {
  const unique = uniqueValues(object, values).map(([field, value]) => [field.name, value]);
  return {
    object: object.name,
    id,
    ...(changes && { properties: [...changes.keys()] }),
    ...(unique.length > 0 && { unique: Object.fromEntries(unique) as Record<string, string> }),
  };
}
