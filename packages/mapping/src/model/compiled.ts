import type { Call } from '@wrapup/call';
import type { Place } from '@wrapup/findings';
import type { Plan, WriteMode } from './plan.ts';

/** A mapping that was checked and is ready to run. Immutable. */
export interface CompiledMapping {
  /** Path as the config names it: `mappings/hubspot.yaml`. */
  name: string;
  /** `hubspot`, `salesforce`, `http`. */
  kind: string;
  /** sha256 of everything that decides what it does (its own text and what it extends), first 12 hex digits. */
  hash: string;
  /** Every CRM property that it may write or read, for schema checks and provisioning. */
  fields: MappedField[];
  /** Every path that it reads of what is free to have any name (`vars.budget`), each once. */
  reads: MappedPath[];
  /** Every record that it may write besides the person. */
  records: MappedRecord[];
  /** Total and pure: never throws, same call, same plan. */
  plan(call: Call, route: string): Plan;
}

export interface MappedPath {
  /** As it was written first: `vars.budget`. */
  path: string;
  segments: (string | number)[];
  at: Place;
}

export interface MappedRecord {
  /** Name in the mapping; `call_log` for the call log. */
  name: string;
  type: string;
  /** The CRM's own object. */
  object: string;
  at: Place;
  /** Where its condition stands. Absent: it is written for every call. */
  when?: Place;
  /** The CRM's objects of the person's own records that it is associated with, and where the mapping says so. */
  related?: { object: string; at: Place }[];
  /** How one that is there is found, and where that stands. */
  find?: { by: FindBy; at: Place };
}

export const FIND_BY = ['id', 'open', 'by'] as const;
export type FindBy = (typeof FIND_BY)[number];

/** Kinds of values that CRM fields are particular about. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'date' | 'datetime';

export interface MappedField {
  /** `person`, `call_log`, or the record's name. */
  record: string;
  /** CRM object, `contacts`. */
  object: string;
  property: string;
  use: 'write' | 'read';
  write?: WriteMode;
  /** With `forward`: the values from the first to the last. */
  order?: string[];
  /** Every value it can take, where that is known at load (constants and `map:` tables). */
  values?: (string | number | boolean)[];
  /** What kind of value it is whatever the call says. Absent: as the call says it. */
  gives?: ValueKind;
  /** The property names an owner: e-mail addresses and ids that the mapping itself names, for checks. */
  owners?: string[];
  at: Place;
}
