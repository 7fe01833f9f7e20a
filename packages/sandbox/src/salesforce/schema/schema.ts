/** The objects and fields of an org, and which of them the integration's user can see. */
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SObjectField } from './field.ts';
import { putField, type SObject } from './sobject.ts';
import { PERSON_ACCOUNT_FIELDS, standardObjects } from './standard-objects.ts';

export interface Visibility {
  /** `Task.CallType`, `Activity.Wrapup_Call_Id__c`: hidden from the user, as if they were not there. */
  hidden: string[];
  /** Seen, and not written. */
  readOnly: string[];
  /** Whether the org has person accounts: without them their fields are not there. */
  personAccounts: boolean;
}

/** Objects that share the custom fields of another. */
const SHARES: Record<string, string[]> = { Activity: ['Task', 'Event'] };

export class SalesforceSchema {
  readonly #objects = new Map<string, SObject>();
  readonly #visibility: () => Visibility;
  #customObjects = 0;

  /** @param visibility as it is now: it can change between two requests */
  constructor(visibility: () => Visibility) {
    this.#visibility = visibility;
    for (const object of standardObjects()) this.#add(object);
    for (const [name, fields] of Object.entries(PERSON_ACCOUNT_FIELDS)) {
      for (const field of fields) putField(this.object(name), field);
    }
  }

  #add(object: SObject): void {
    this.#objects.set(object.name.toLowerCase(), object);
  }

  get objects(): SObject[] {
    return [...this.#objects.values()];
  }

  find(name: string): SObject | undefined {
    return this.#objects.get(name.toLowerCase());
  }

  /** @throws Refusal 404 as the REST API does when there is none of that name */
  object(name: string): SObject {
    const found = this.find(name);
    if (!found) throw new SalesforceRefusal('NOT_FOUND', 'The requested resource does not exist', { status: 404 });
    return found;
  }

  byPrefix(id: string): SObject | undefined {
    return this.objects.find(({ keyPrefix }) => id.startsWith(keyPrefix));
  }

  /** Those that the user sees. */
  fields(object: SObject): SObjectField[] {
    return [...object.fields.values()].filter((one) => this.#sees(object, one)).map((one) => this.#asSeen(object, one));
  }

  /** A field by its name, whatever its case; undefined when there is none or the user does not see it. */
  field(object: SObject, name: string): SObjectField | undefined {
    const found = object.byLowerCase.get(name.toLowerCase());
    return found && this.#sees(object, found) ? this.#asSeen(object, found) : undefined;
  }

  /** The field by which a record points at another: `Who` is `WhoId`, `Thing__r` is `Thing__c`. */
  relationship(object: SObject, name: string): SObjectField | undefined {
    return this.fields(object).find((one) => one.relationshipName?.toLowerCase() === name.toLowerCase());
  }

  #sees(object: SObject, { name, sharedAs }: SObjectField): boolean {
    const { hidden, personAccounts } = this.#visibility();
    if (!personAccounts && PERSON_ACCOUNT_FIELDS[object.name]?.some((one) => one.name === name)) return false;
    return !isListed(hidden, object, name, sharedAs);
  }

  #asSeen(object: SObject, one: SObjectField): SObjectField {
    const locked = isListed(this.#visibility().readOnly, object, one.name, one.sharedAs);
    return locked ? { ...one, createable: false, updateable: false } : one;
  }

  /** @returns the next prefix for a custom object: `a00`, `a01` */
  nextPrefix(): string {
    const n = this.#customObjects++;
    return `a${n.toString(36).padStart(2, '0')}`;
  }

  /** Adds a custom object; activities can be about it. */
  addObject(object: SObject): void {
    this.#add(object);
    for (const activity of SHARES.Activity ?? [])
      this.object(activity).fields.get('WhatId')?.referenceTo.push(object.name);
    this.object('ContentVersion').fields.get('FirstPublishLocationId')?.referenceTo.push(object.name);
  }

  /** Adds a custom field, to all objects that share it. @param on `Lead`, or `Activity` for tasks and events */
  addField(on: string, one: SObjectField): void {
    const sharing = SHARES[on];
    for (const name of sharing ?? [on]) putField(this.object(name), sharing ? { ...one, sharedAs: on } : { ...one });
  }

  /** Whether a custom field of that name is defined there. */
  hasField(on: string, name: string): boolean {
    return (SHARES[on] ?? [on]).some((object) => this.find(object)?.byLowerCase.has(name.toLowerCase()));
  }
}

function isListed(list: string[], object: SObject, name: string, sharedAs?: string): boolean {
  return list.includes(`${object.name}.${name}`) || (sharedAs !== undefined && list.includes(`${sharedAs}.${name}`));
}
