/** What an adapter brings so that the people of its CRM can be found, created and written. */

import type { Plan, Value } from '@wrapup/mapping';
import type { RequestFailure } from '../../http/request-failure.ts';
import type { ContactSummary } from '../../port/destination.ts';
import type { Failure } from '../../port/failure.ts';
import type { ReceiptNote } from '../../port/omission.ts';
import type { Directory } from '../owners/owners.ts';
import type { PlanWrite, Properties } from '../plan/plan-write.ts';
import type { RecordVerbs, SteppedDown } from '../records/record-verbs.ts';
import type { CrmRow, FieldRules, RowWriter } from '../rows/row.ts';

/** A person as the CRM has it. */
export interface CrmPerson {
  readonly id: string;
  readonly object: string;
  readonly properties: Properties;
  /** Id of the account that the person belongs to, in CRMs that have such. */
  readonly account?: string;
  /** The record that is written for the person, where that is another one. */
  readonly written_as?: { readonly object: string; readonly id: string };
  /** Id to read in its place: of what it has become, or of a person of whom only the id is known. */
  readonly follow?: string;
  /** True: it has become another record, so that what is remembered of it holds no more. */
  readonly converted?: boolean;
  /** Names of fields that had a value of late, of a person who is remembered and was not read. */
  readonly set?: ReadonlySet<string>;
}

/** One plan whose person is looked for, created or written. Read-only: what is learnt of it gives a new one. */
export interface PersonWrite extends PlanWrite {
  /** The plan before anything was known of the person, and what was noted by then. */
  readonly start: { readonly plan: Plan; readonly notes: readonly ReceiptNote[] };
  /** Who can own what it writes; absent while nothing asks for an owner. */
  readonly owners?: Directory;
  /** True: the plan is filled in with what its mapping reads of the person. */
  readonly resolved: boolean;
  /** True: the person was found only by what was said, so that little is written (`limitWrite`). */
  readonly limited: boolean;
  /** True: an operator chose the person among several. Other calls of the number may be another one's. */
  readonly chosen: boolean;
  /** True: an earlier attempt has written the person, who is only linked to. */
  readonly done: boolean;
  readonly notes: readonly ReceiptNote[];
}

/** A person whom the CRM does not have, with all the plans that are about them. */
export interface NewPerson {
  readonly key: string;
  readonly writes: readonly PersonWrite[];
}

/** Ids, addresses or numbers, and the numbers of the plans that ask for each. */
export type AskedValues = ReadonlyMap<string, readonly number[]>;

export interface PeopleRead {
  /** Absent ids are not in the CRM. Answers stand under the id that was asked for. */
  byId: ReadonlyMap<string, CrmPerson | Failure>;
  /** By address in lower case; several come oldest first. */
  byEmail: ReadonlyMap<string, CrmPerson[] | Failure>;
}

/** How people are called in one CRM, for what is said of them. */
export interface Wording {
  /** `HubSpot` */
  crm: string;
  /** `contact` */
  person: string;
  /** `contacts` */
  people: string;
  /** What is said of a person whose record vanished twice while being written. */
  vanished: string;
}

export interface PeopleVerbs extends RowWriter {
  readonly wording: Wording;
  readonly fields: FieldRules;
  /** Property for when the last call ended that was written to a person. */
  readonly watermark: string;
  /** Properties that a human knows people by. */
  readonly identifying: readonly string[];
  readonly keys: PersonKeys;
  /**
   * The records that rows of people may carry (`CrmRow.along`), in a CRM that creates them in the same request. It keeps what
   * it was answered about them, and answers with that when `create` of these verbs is asked for the same row, under the same
   * key and with the same fields; any other row it sends. Absent: records are sent after their people.
   */
  readonly along?: RecordVerbs;
  urlOf(object: string, id: string): string | undefined;
  /** The id in its canonical spelling; undefined for what is no id of a person. */
  personId(text: string): string | undefined;
  /** A person of whom nothing but the id is known. */
  byId(id: string): CrmPerson;
  /** True: an id that another source named has to be read before anything is written to it. */
  mustRead?(id: string): boolean;
  /** Reads people in as few requests as possible. Never rejects. */
  read(ask: { ids: AskedValues; emails: AskedValues }, properties: string[]): Promise<PeopleRead>;
  /** People by number (E.164), oldest first. Never rejects; a search that failed is a failure, never an empty list. */
  search(phones: AskedValues, properties: string[]): Promise<ReadonlyMap<string, CrmPerson[] | Failure>>;
  /** Properties by which a person is found: once one was written, search lags behind. */
  foundBy(object: string): readonly string[];
  /** Object of which the person of these plans is created. @throws Failure when the account has none */
  newObject(writes: readonly PersonWrite[]): string;
  /** The fields of a new person with what the CRM demands, and what the next call finds it by. */
  complete(object: string, fields: CrmRow['fields'], writes: readonly PersonWrite[]): Record<string, unknown>;
  readonly required_of_new: ReadonlySet<string>;
  /** Values that stand for none are taken for none. */
  withoutPlaceholders?(current: Properties, writes: readonly PersonWrite[]): Properties;
  /** The row's target, for a person who is written as another record. */
  target?(person: CrmPerson, fields: CrmRow['fields']): Pick<CrmRow, 'object' | 'id' | 'fields'>;
  /** Why nothing is written to a person of that kind. */
  notWritten?(person: CrmPerson): string | undefined;
  /** What it means that another record holds a value of a person who exists. */
  judge(person: CrmPerson, row: CrmRow, failure: RequestFailure): Failure | LeaveOut;
  /** Which record holds a unique value of a new person, and the values that may be meant. */
  holderOf(failure: RequestFailure, row: CrmRow): { id?: string; values: unknown[] };
  /** Records that the CRM takes for the new person and refuses to double. */
  duplicatesOf?(failure: RequestFailure): { people: CrmPerson[]; use: boolean };
  /** What a human knows the person by: of addresses and numbers the first that is there, the parts of a name together. */
  identityOf(person: CrmPerson): PersonIdentity;
  /** Whose records to ask for under a name of the kind's `related` or `open`: undefined where such people have none. */
  relatedOf?(person: CrmPerson, name: string): { of: string; id: string; object: string } | undefined;
}

/** Values as the CRM has them; those that are no text, or empty, count as absent. */
export type PersonIdentity = Record<keyof ContactSummary, (Value | undefined)[]>;

/** The field without which a person can be written after all. */
export interface LeaveOut {
  leave_out: string;
  why: string;
}

/**
 * What it means for a new person that a record holds one of its values already.
 * `same` it is that person · `limit` only what was said tells so · `without` write the person without that value
 */
export type Claim = 'same' | 'limit' | 'without';

/** How a new person is kept from being created twice: the ladder of keys for people. */
export interface PersonKeys {
  /** @throws Failure when that cannot be found out */
  inForce(): Promise<PersonKey>;
  isKeyRefused?(failure: RequestFailure): boolean;
  /** Never rejects. */
  stepDown?(from: PersonKey): Promise<SteppedDown<PersonKey>>;
  /** What is said of a person whom no key can keep from being created twice, or whose value stays contested. */
  explain(failure: RequestFailure): Failure;
}

export interface PersonKey {
  /** True: what may have been created can be sent by `upsert`. */
  readonly upserts: boolean;
  /** True: the account refuses a second person with that key. */
  isUnique(person: NewPerson): boolean;
  keyed(row: CrmRow, person: NewPerson): CrmRow;
  /**
   * Looks for people whose creation may have succeeded before.
   * @param lost what was answered to a creation in this very write, by person; empty before the first
   */
  find(people: NewPerson[], properties: string[], lost: ReadonlyMap<NewPerson, RequestFailure>): Promise<FoundPeople>;
}

/** A person who is there after all, or why that cannot be known. */
export type PersonFinding = { person: CrmPerson; read: boolean; claim: Claim } | Failure;

/** Those that are not in the map are certainly not there. */
export type FoundPeople = Map<NewPerson, PersonFinding>;

/** A person who exists, with the plans that are about them. */
export interface KnownPerson {
  readonly person: CrmPerson;
  /** Names of the properties that were read; absent: nothing but the id is known. */
  readonly asked?: ReadonlySet<string>;
  readonly writes: readonly PersonWrite[];
  /** True: made just now, with everything that its plans say. */
  readonly created?: boolean;
  /** True: only the id was named; the record has to be read. */
  readonly verify?: boolean;
}
