/**
 * The plan: the record writes that one call and one mapping give. A pure value that an adapter executes.
 *
 * Everything that a mapping can say is already decided here, in the CRM's own property names; what is left to the
 * adapter is whom the plan's person is, what the account's schema allows, and how to write many plans in few requests.
 */

import type { Call } from '@wrapup/call';
import type { Place } from '@wrapup/findings';

/** What a CRM property can be set to. Null means "clear it" and comes only from `clear: true`. */
export type Value = string | number | boolean | null;

/**
 * When a field may be written:
 * `overwrite` always · `if_empty` only where the CRM has nothing · `if_ours` when the record is created, later only while the field
 * still says what was written last · `if_newer` by a call that ended later than all that were written to that person; a call
 * that comes again follows `if_ours` · `forward` only further along an order · `never_unset` a true stays true · `append` one
 * block marked with the call's key · `add` the number is added to what the person has, once for each call.
 */
export const WRITE_MODES = [
  'overwrite',
  'if_empty',
  'if_ours',
  'if_newer',
  'forward',
  'never_unset',
  'append',
  'add',
] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

/** `required: park`: without this value the call waits for a person. */
export const PARK = 'park';

export interface FieldWrite {
  /** The CRM's own property name. */
  name: string;
  value: Value;
  write: WriteMode;
  /** With `forward`: the values from the first to the last, as text. */
  order?: string[];
  at: Place;
}

/** A field that the plan does not write, and why. */
export interface LeftOut {
  /** Record name and property: `person.budget`. */
  field: string;
  reason: string;
  at: Place;
  /** Set where the call says something there, of which nothing could be made. A receipt notes it. */
  unusable?: UnusableCode;
}

/** Why a field is left out whose `when:` does not hold: it is not asked for. */
export const NOT_NOW = 'its condition does not hold for this call';
/** Why one is left out that a table gives nothing for. */
export const NOT_BY_TABLE = 'the table says to leave it out';
/** Why a person whom only speech named gets none. */
export const ONLY_SAID = 'the person was found by an address that was only said';
/** How it begins where no case of a named value holds. */
export const NO_CASE = 'no case of my.';
const UNWANTED: ReadonlySet<string> = new Set([NOT_NOW, NOT_BY_TABLE, ONLY_SAID]);

/**
 * Who has a field left out: the call, which says nothing there; the mapping, which does not want it of this call; or what the call
 * says, of which nothing can be made.
 */
export type LeftOutBy = 'call' | 'mapping' | 'value';

export function leftOutBy({ reason, unusable }: { reason: string; unusable?: string }): LeftOutBy {
  if (unusable) return 'value';
  return UNWANTED.has(reason) || reason.startsWith(NO_CASE) ? 'mapping' : 'call';
}

/** Why nothing could be made of what a call says. Stable: they are counted, and stand in the ledger. */
export const UNUSABLE_CODES = [
  'unreadable_number',
  'ambiguous_number',
  'unreadable_date',
  'unreadable_value',
  'unmapped_value',
] as const;
export type UnusableCode = (typeof UNUSABLE_CODES)[number];

export const UNMATCHED = ['create', 'log_only', 'skip', 'park'] as const;
export type Unmatched = (typeof UNMATCHED)[number];
export const AMBIGUOUS = ['park', 'most_recent', 'oldest'] as const;
export type Ambiguous = (typeof AMBIGUOUS)[number];

/** What an address that was only said is good for, where the mapping says. Default: call log and tasks, see `limitToSaid`. */
export const SAID = ['match', 'ignore'] as const;
export type Said = (typeof SAID)[number];

/**
 * One way to find the person; steps are tried in order, each only when it has a value. `said`: nothing but speech vouches
 * for the value, so that the record found by it alone may be another person's.
 */
export type MatchStep =
  | {
      by: 'id';
      value: string;
      said?: true;
      /** E.164. The id counts only if our own inbound look-up gave it for this number. */
      issued_to?: string;
    }
  | { by: 'email'; value: string; said?: true }
  /** E.164. */
  | { by: 'phone'; value: string; said?: true };

/** One way to name an owner, with what this call says. Steps are tried in order; what the account does not know is passed over. */
export type OwnerStep = { by: 'id'; value: string } | { by: 'email'; value: string };

/**
 * Whom a record is given to. Adapters look the steps up in the account; the first active owner is written, and only
 * where the record has none yet (a new one, or one that lost its owner): no owner loses a record. An owner that
 * cannot be found never fails the delivery, it is noted on the receipt.
 */
export interface OwnerPlan {
  /** The CRM's property. */
  property: string;
  /** At least one. */
  steps: OwnerStep[];
  at: Place;
}

export interface PersonPlan {
  /** In the order in which they are tried: those that are given before those that were only said. */
  match: MatchStep[];
  /** `match`: what was said counts like what is given. `ignore`: no person is looked for by it. Absent: found by it alone, a person gets call log and tasks. */
  said?: Said;
  unmatched: Unmatched;
  ambiguous: Ambiguous;
  /**
   * `person:<sha256 hex>` of the E.164 number, else of the lower-case e-mail; of given ones before those that were only
   * said. Null: never create, no later call could match it.
   */
  key: string | null;
  /** CRM object to create: `contact`, `lead`. */
  create_as: string;
  fields: FieldWrite[];
  /** E-mail addresses among the values of `fields` that were only said, where that counts for less. */
  said_values?: string[];
  owner?: OwnerPlan;
  /** Written only on creation, under what the mapping says: the name a person without a name gets. */
  fallback: {
    phone?: string;
    email?: string;
    name: string;
    /** Which of the two were only said, where that counts for less than what is given. */
    said?: ('phone' | 'email')[];
  };
}

/** What becomes of a plan once it is known who was found. `use`: the one, or the one of several that the policy chooses. */
export type PersonDecision = 'use' | 'create' | 'log_only' | 'skip' | 'park';

/** What the plan's policy makes of an answer. No person is created whom no later call could find again. */
export function decidePerson(person: PersonPlan, found: 'none' | 'one' | 'many'): PersonDecision {
  if (found === 'one') return 'use';
  if (found === 'many') return person.ambiguous === 'park' ? 'park' : 'use';
  return person.unmatched === 'create' && person.key === null ? 'log_only' : person.unmatched;
}

/** What happens where `find:` finds nothing. */
export const NONE = ['create', 'skip', 'park'] as const;
/** What happens where `find:` finds several. */
export const SEVERAL = ['newest', 'skip', 'park'] as const;

/** How a record that is there is found: by one of `id`, `open` and `by`. None of them: the call says nothing that counts. */
export interface RecordFind {
  id?: string;
  /** The open record of the plan's person, else of their company. */
  open?: true;
  /** The record whose fields all have these values. */
  by?: FindField[];
  none: (typeof NONE)[number];
  several?: (typeof SEVERAL)[number];
  /**
   * With `none: create`, where other calls can mean the record that is made: what its key is made of instead of the call.
   * With `open` the id of the person is part of it too.
   */
  key?: string;
  /** Why there would be none: names paths, never values. */
  why: string;
  at: Place;
}

export interface FindField {
  /** The CRM's own property name. */
  name: string;
  value: string | number | boolean;
}

/** What becomes of a record that `find:` looks for. `use`: the one, or the newest of several. */
export type RecordDecision = 'use' | 'create' | 'skip' | 'park';

/** What the mapping makes of an answer. Where it does not say which of several is meant, a person chooses. */
export function decideRecord(
  { none, several = 'park' }: Pick<RecordFind, 'none' | 'several'>,
  found: 'none' | 'one' | 'many',
): RecordDecision {
  if (found === 'one') return 'use';
  if (found === 'none') return none;
  return several === 'newest' ? 'use' : several;
}

/** Records of the person's own: the company, the open deals. Adapters read which those are. */
export interface RelatedPlan {
  /** The CRM's own object. */
  object: string;
  /** Where the person has none: those of the record of this object that the person belongs to. */
  through?: string;
}

export interface RecordPlan {
  /** What it is in the mapping language: `call_log`, `task`, `note`, `deal`, … */
  type: string;
  /** The CRM's own object name: `calls`, `tasks`, `Task`. */
  object: string;
  /** Name in the mapping; `call_log` for the call log. */
  name: string;
  /**
   * Unique key: `<source>:<call id>` for the call log, `<source>:<call id>:<name>` otherwise; with a key of its own
   * `own:<name>:<sha256 of what it is made of>`.
   */
  key: string;
  /** The record is there already, and changed instead of made. */
  find?: RecordFind;
  /** Set where other calls can mean the same record. `person`: the id of the plan's person is the end of its key. */
  own_key?: { person: boolean };
  fields: FieldWrite[];
  owner?: OwnerPlan;
  /** The CRM's property that people read first, such as a title or a subject: where a remark is seen. */
  headline?: string;
  /** Names of the plan's records that it is associated with, and of those in `related`; `person` unless the mapping says otherwise. */
  associate: string[];
  /** Which names of `associate` mean records that the person has already, and what they are. */
  related?: Readonly<Record<string, RelatedPlan>>;
  /** What the account calls such a link, by names of `associate`. */
  labels?: Record<string, string>;
}

export interface Plan {
  /** `<source>:<call id>`. */
  key: string;
  route: string;
  mapping: { name: string; hash: string };
  /** Hash of the revision of the call that is delivered. Absent where nothing is delivered: a preview of a payload. */
  revision?: string;
  call: Call;
  /** When the call ended (UTC, ISO 8601): what `if_newer` compares. */
  ended_at: string;
  /** Null: the mapping has no person (HTTP). */
  person: PersonPlan | null;
  /** The call log first, then the rest in the mapping's order. */
  records: RecordPlan[];
  left_out: LeftOut[];
  /**
   * What the named value `result` of the mapping says that the call came to; `other` where it is none of those that are known from
   * the mapping itself. Absent where it has no such value, or none for this call.
   */
  result?: string;
  /** A value is absent without which the mapping wants a person to look at the call. */
  parked?: LeftOut | undefined;
  /** CRM properties of the matched person that the mapping reads (`person.*` paths), for the adapter to fetch. */
  needs: string[];
  /** The same plan once the person is known; called by the adapter after matching, only where `needs` is not empty. */
  settle(person: Record<string, Value>): Plan;
  /** What earlier attempts of the same delivery did. Absent on a first attempt. */
  resume?: Resume;
  /** Whom an operator chose where the caller could be several people. Absent: nothing was chosen. */
  chosen?: PersonChoice[];
}

/** Which of several people is meant, as an operator chose. It names one of those who are found, and never anyone else. */
export interface PersonChoice {
  /** Id of the record. */
  id: string;
  /** It holds for every call of the given number or address that is looked for so. Absent: for this very call. */
  of?: 'email' | 'phone';
}

/** State of a delivery that was tried before. The adapter must assume that any unrecorded write may have happened. */
export interface Resume {
  /** Attempts that began before this one, at least 1. */
  attempts: number;
  /**
   * Ids of records known to exist, by record name; `person` for the person. They may have been written by an earlier
   * replay, revision or mapping, so they are written again (the keys make that safe), except those in `done`.
   */
  records: Record<string, string>;
  /**
   * Names in `records` that this very delivery has written whole, with this revision and this mapping, before a later
   * step failed: they are not written again.
   */
  done?: string[];
}

/** The plan as a replay would deliver it. @param written what earlier deliveries of the call are known to have written */
export function asReplay(plan: Plan, written: readonly { name: string; id: string }[]): Plan {
  if (written.length === 0) return plan;
  return { ...plan, resume: { attempts: 1, records: Object.fromEntries(written.map(({ name, id }) => [name, id])) } };
}
