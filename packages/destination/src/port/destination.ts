/**
 * The port: what a kind of CRM has to offer to be a destination. Everything works on many plans at once.
 *
 * An adapter never imports another adapter, nor the queue. It keeps no state of its own between calls beyond its
 * client: what it wants to remember goes into `ctx.memory`, what it must not do twice is guarded by unique keys in the
 * CRM. It makes no request after `ctx.deadline` and passes `ctx.signal` on.
 */

import type { Finding } from '@wrapup/findings';
import type { AccountFields, CompiledMapping, Dialect, MatchStep, Plan, Value } from '@wrapup/mapping';
import type { z } from 'zod';
import type { Context } from './context.ts';
import type { Failure } from './failure.ts';
import type { Receipt } from './receipt.ts';

/** One kind of destination, as the registry knows it. Loading it must not load the vendor's client. */
export interface DestinationKind<Settings = unknown> {
  kind: string;
  dialect: Dialect;
  /** Settings of a connection of this kind in wrapup.yaml, without `kind`. */
  settings: z.ZodType<Settings>;
  /** Address of its API where the settings name none. */
  address?: string;
  /** Names of the settings that are secrets, for masking. */
  secrets: string[];
  /**
   * What the vendor allows before its own answers say otherwise, by pool of `Budget.take`; `default` is the pool of a
   * request that names none. `window` in ms.
   */
  pools?: Record<string, { limit: number; window: number }>;
  /** Whether its destinations can `notify`. */
  notifies?: true;
  /** Names of records that `find` can read along with a person: `deals` for the path `person.deals[0].dealname`. */
  related?: readonly string[];
  /** Names under which `find` can read the open record of a kind that was created last: `open_deal`. */
  open?: readonly string[];
  /**
   * The names under which destinations of this kind may have something of a person in `ctx.memory`: what is removed when
   * the person is forgotten. Absent: they remember nothing of people.
   */
  remembers?(subject: Subject): Promise<string[]>;
  /** What `provision` makes for these mappings where it is missing, as `<object>.<field>`, keys first. Absent: nothing. */
  provisions?(mappings: CompiledMapping[]): Promise<string[]>;
  /** Loads the vendor's client and makes a destination; makes no request. */
  connect(connection: string, settings: Settings): Promise<Destination>;
}

/** What is known of a person who is to be forgotten. */
export interface Subject {
  /** E.164. */
  phones: readonly string[];
  /** Lower case. */
  emails: readonly string[];
  /** Calls of the person: `<source>:<call id>`. */
  calls: readonly string[];
  /** What these calls left in CRMs: the person's own record and others. `key` is its unique key. */
  records: readonly { object: string; id: string; key: string }[];
}

export interface Destination {
  readonly kind: string;
  /** Name of the connection in wrapup.yaml. */
  readonly connection: string;
  /** Plans that `write` takes in one call, at most. */
  readonly batch: number;

  /** Compares mappings with the account's live schema. Writes nothing. */
  check(mappings: CompiledMapping[], ctx: Context): Promise<Finding[]>;

  /** Finds people, one answer per question and in their order. A look-up that failed rejects; it is never "not found". */
  find(persons: PersonQuestion[], ctx: Context): Promise<PersonAnswer[]>;

  /** What `write` would do, without writing. */
  preview(plans: Plan[], ctx: Context): Promise<Preview[]>;

  /**
   * Writes plans: as many outcomes as plans, in their order. Rejects only when nothing can be said of any plan, and
   * then every plan counts as failed with that failure. Two plans for one person give one person.
   */
  write(plans: Plan[], ctx: Context): Promise<WriteOutcome[]>;

  /** Creates the unique keys and custom fields that the mappings need. With `plan: true` it only lists them. */
  provision(request: ProvisionRequest, ctx: Context): Promise<ProvisionStep[]>;

  /** What `provision` would deploy, for the vendor's own tools. Absent where fields are created one by one. */
  package?(request: Pick<ProvisionRequest, 'mappings' | 'stand_in'>): Promise<ProvisionPackage>;

  /** The account's own properties and options of these objects, for editors. Absent: the kind has none to tell. */
  describe?(objects: string[], ctx: Context): Promise<Description>;

  /** The cheapest request that proves the credentials. Rejects with the failure when they do not work. */
  probe(ctx: Context): Promise<Probe>;

  /** Sends a notice of something that is no call. Only kinds that say `notifies` have it. Rejects when it was not taken. */
  notify?(notice: Notice, ctx: Context): Promise<void>;

  close(): Promise<void>;
}

/** Something that an operator should hear of. Holds no personal data. */
export interface Notice {
  /** The same for the same event, however often it is sent: receivers drop repeats by it. Letters, digits and `_`. */
  id: string;
  /** `connection.paused`, `connection.resumed`, `source.revisions_ignored`, `calls.unresolved`. */
  type: string;
  /** Epoch ms. */
  at: number;
  /** One or two sentences for people. */
  text: string;
  data: Record<string, string | number | null>;
}

export interface PersonQuestion {
  match: MatchStep[];
  /** Properties to read. */
  properties: string[];
  /** Records to read along, under the names of the kind's `related`: which properties, and of how many at most. */
  related?: Record<string, { properties: string[]; most: number }>;
  /** Properties of open records to read along, under the names of the kind's `open`. */
  open?: Record<string, string[]>;
  /** Read also what a person knows people by, and say it in `who`. */
  identify?: true;
}

/** What a person knows people by. For the user who asks, at that moment: personal data, never to be kept. */
export interface ContactSummary {
  name?: string;
  email?: string;
  phone?: string;
  company?: string;
}

export interface PersonRecord {
  /** CRM object: `contacts`, `Lead`. */
  object: string;
  id: string;
  properties: Record<string, Value>;
  /**
   * What the question asked for beside the person: open ones first, then the latest changed. A name is absent when its
   * records could not be read; that does not fail the question.
   */
  related?: Record<string, Record<string, Value>[]>;
  /** The open records that the question asked for: null where there is none. A name is absent when it could not be read. */
  open?: Record<string, Record<string, Value> | null>;
  /** For a person to open. */
  url?: string;
  /** As far as it was read and is known. */
  who?: ContactSummary;
}

export type PersonAnswer =
  | { found: 'none' }
  /** `said`: by an address or an id that was only said; see `limitToSaid` in the mapping package. */
  | { found: 'one'; person: PersonRecord; by: MatchStep['by']; said?: true }
  /** In the CRM's own order of creation, oldest first. */
  | { found: 'many'; candidates: PersonRecord[]; by: MatchStep['by']; said?: true };

/** `plan`: as it was written, once the person was known. Absent: as it was given. */
export type WriteOutcome = { ok: true; receipt: Receipt; plan?: Plan } | { ok: false; failure: Failure };

export interface Preview {
  person: PersonAnswer;
  /** What the person policy makes of it. */
  decision: 'use' | 'create' | 'log_only' | 'skip' | 'park';
  /** What to do, where the delivery would be parked. */
  hint?: string;
  records: { name: string; object: string; id?: string; did: 'create' | 'update'; fields: FieldChange[] }[];
  /** What is left out of this call, why, and the line that would have written it. `unusable` as in the plan. */
  left_out: {
    field: string;
    reason: string;
    at?: { file: string; line: number; column: number };
    unusable?: string;
  }[];
  /** Requests that `write` would spend on this plan alone. */
  requests: number;
}

/**
 * What has become of a field since Wrapup wrote it, as the digests of written values tell: `unchanged` it has what the call wrote ·
 * `ours` it has another value that Wrapup wrote · `changed` a colleague changed it · `same` it has what the call says, and it is not
 * known who wrote that · `unknown` it has another value, and it is not known that Wrapup wrote any.
 */
export type SinceWritten = 'unchanged' | 'ours' | 'changed' | 'same' | 'unknown';

export interface FieldChange {
  field: string;
  from: Value | undefined;
  to: Value;
  /** Name of the field as people see it in the CRM, where that is known. */
  label?: string;
  /** The values as people see them, where that is otherwise: the label of an option, a text without its markup. */
  from_shown?: string;
  to_shown?: string;
  write: string;
  /** Of a field that has a value. Absent where no record is there. */
  since?: SinceWritten;
  /** False: a write mode keeps the CRM's value; `why` says which. */
  applies: boolean;
  why?: string;
  at: { file: string; line: number; column: number };
}

export interface ProvisionRequest {
  mappings: CompiledMapping[];
  plan: boolean;
  /**
   * Leave to deploy a package into the account, where that is how fields are made; without it they are only listed. Kinds
   * that create fields one by one need none.
   */
  deploy?: boolean;
  /** Also the object that keeps keys where records take none of their own, for kinds that know one. */
  stand_in?: boolean;
}

export interface ProvisionPackage {
  /** Texts by path. */
  files: Record<string, string>;
  zip: Uint8Array;
}

export interface Description {
  /** By the CRM's own object. */
  objects: AccountFields;
  /** What could not be read, and why. */
  notes: string[];
}

export interface ProvisionStep {
  /** `calls.wrapup_call_id`. */
  what: string;
  state: 'present' | 'created' | 'missing' | 'refused';
  /** What to do by hand when it was refused. */
  hint?: string;
}

export interface Probe {
  /** The CRM's id of the account. */
  account: string;
  /** What works and how: key ladder step in force, scopes seen missing. */
  notes: string[];
}

/** Stands for the id of a person whom the CRM does not have, in a choice: the call's person is to be created. */
export const NEW_PERSON = 'new';

/** What a preview's decision means for the person, or for the call where there is none: the end of a sentence. */
export const DECISION_LABELS: Record<Preview['decision'], string> = {
  use: 'is written to',
  create: 'would be created',
  log_only: 'the call would be logged without a person',
  skip: 'nothing would be written',
  park: 'the delivery would be parked for a person to decide',
};

/** The end of the same sentence for a person who was found only by what was said. */
export const SAID_LABEL =
  'found by an address that was only said, so the call log and the tasks are marked, and nothing of the person is written';
