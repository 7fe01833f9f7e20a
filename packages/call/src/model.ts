/**
 * The call record: what one finished phone call was, whatever shape the payload had.
 *
 * Field names are snake_case because this is the very document that mapping paths read: `call.outcome` in YAML is
 * `call.outcome` here. Facts of the call itself stand at the top; the other mapping roots (`lead`, `vars`, …) are
 * nested. An absent fact is an absent key, never an empty string or null.
 */
import type { AnsweredBy, CallStatus, EndReason, Outcome } from './outcome.ts';

/** Any value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A dictionary with string keys as it came from outside: read own properties only. */
export type JsonObject = { [key: string]: Json };

export type Direction = 'inbound' | 'outbound';

/** Something the normaliser could not read, or had to decide. Holds no values from the payload, only where and what. */
export interface Note {
  /** Path in the raw payload, dotted: `call.start_time`. */
  path: string;
  /** What was wrong and what was done about it, in a sentence without personal data. */
  message: string;
}

/** Who said what. `unknown` when the line carried no speaker prefix. */
export interface Turn {
  speaker: 'agent' | 'human' | 'unknown';
  text: string;
  /** Seconds from the start of the call, where the source tells when it was said. */
  start?: number;
  end?: number;
}

/** The voice agent that held the call. The payload names only its id; the rest comes from the config's agents table. */
export interface Agent {
  id?: string;
  name?: string;
  /** E.164. */
  number?: string;
}

/** Where an address or a number of the other end can come from. */
export const ORIGINS = ['given', 'said'] as const;
/**
 * `given`: the line itself, the customer's own list, or our own look-up vouches for it. `said`: it was collected or
 * extracted from speech, or nothing tells that it was not.
 */
export type Origin = (typeof ORIGINS)[number];

/** The person on the other end. */
export interface Lead {
  name?: string;
  first_name?: string;
  last_name?: string;
  /** Lower case. A given one where there is one, else one that was said. */
  email?: string;
  /** Of `email`. Absent only where no normaliser made the call: it counts as given then. */
  email_origin?: Origin;
  /** Lower case. What was said beside a given `email`, where it is another address. */
  said_email?: string;
  /** E.164, present only when the raw number could be read as a valid one. A given one where there is one. */
  phone?: string;
  /** Of `phone`. Absent only where no normaliser made the call: it counts as given then. */
  phone_origin?: Origin;
  /** The number exactly as it came: `anonymous`, a SIP user, or digits without a country. */
  phone_raw?: string;
  /** ISO 3166 alpha-2, from the number. */
  country?: string;
}

/** One collected variable, with where it came from. */
export interface Collected {
  value: Json;
  collected: boolean;
  /** The agent under which it was collected, in payloads that nest by agent. */
  agent_id?: string;
}

/** One executed action, reduced to what a mapping can use. */
export interface Action {
  name: string;
  /** Vendor's runtime type, as it came: `extract_info_action_type`. */
  type?: string;
  /** Parsed when it was JSON in a string. */
  return_value?: Json;
  status?: string;
  error?: string;
  relevant?: boolean;
  /** UTC, ISO 8601. */
  at?: string;
}

/** What became of the appointment in a call. `moved` has another time than before; `failed`: the action did not work. */
export const BOOKING_STATUSES = ['booked', 'moved', 'canceled', 'failed'] as const;

/** The appointment that an action of the agent booked, moved or cancelled. Empty where none did. */
export interface Booking {
  status?: (typeof BOOKING_STATUSES)[number];
  /** What the appointment was known by before the call where it was moved, else what it is known by. */
  id?: string;
  /** UTC, ISO 8601; as it came where the answer names no offset. Likewise the other two. */
  starts_at?: string;
  ends_at?: string;
  /** When it was to begin before it was moved. */
  moved_from?: string;
  title?: string;
  /** An address, a room, or the link of a video call. */
  place?: string;
  /** Name of the action. */
  action?: string;
}

/** How one criterion was judged. `value` is lower case: `true`, `false`, `partial`, `not_applicable`. */
export type Analysis = { [criterion: string]: string };

export interface Call {
  /** The voice platform's own call id, as it came. Unique within a source. */
  id: string;
  /** Full name of the source: `main` in wrapup.yaml, `acme.main` in the file of client `acme`. */
  source: string;
  /** What its keys in CRMs begin with, where that is not the full name of the source: an earlier name of it. */
  key_prefix?: string;
  status: CallStatus;
  status_raw?: string;
  /** False while the call may still change: pending, ringing, in progress, registered, paused. */
  terminal: boolean;
  outcome: Outcome;
  answered_by: AnsweredBy;
  end_reason: EndReason;
  end_reason_raw?: string;
  /** Free text of a user-defined end condition. */
  end_reason_text?: string;
  /** The platform's error text, when there was one. */
  error?: string;
  direction?: Direction;
  agent: Agent;
  /** UTC, ISO 8601 with milliseconds. */
  started_at?: string;
  /** UTC; start plus duration, or start when the duration is unknown. */
  ended_at?: string;
  /**
   * UTC; when the payload reached Wrapup. What a record is dated by when the payload named no start. Says nothing about
   * the call, so two revisions that differ in it alone are equal.
   */
  received_at?: string;
  /** Offset the payload carried: `+02:00`. */
  utc_offset?: string;
  /** IANA name. Often only the agent's default, so never used to convert. */
  timezone?: string;
  /** Seconds. */
  duration?: number;
  /** E.164, where known. */
  from_number?: string;
  to_number?: string;
  transcript?: string;
  turns: Turn[];
  recording_url?: string;
  external_id?: string;
  diversion?: string;
  /** Where the agent handed the call on to: a number in E.164, a SIP address, or the name of the action. */
  transferred_to?: string;
  booking: Booking;
  lead: Lead;
  /** Collected variables, then extractor results of the same name. What a mapping usually reads. */
  vars: JsonObject;
  collected: { [name: string]: Collected };
  extracted: JsonObject;
  actions: { [name: string]: Action };
  analysis: Analysis;
  prompt_variables: JsonObject;
  metadata: JsonObject;
  /** The payload as it came. */
  raw: Json;
  notes: Note[];
}

/** What keys in CRMs are made of. */
type KeyParts = Pick<Call, 'source' | 'key_prefix' | 'id'>;

/** `<source>:<call id>`: the unique key of the call log in every CRM. */
export function callKey(call: KeyParts): string {
  return `${call.key_prefix ?? call.source}:${call.id}`;
}

/** `<source>:<call id>:<record name>`: the unique key of any other record that a call becomes. */
export function recordKey(call: KeyParts, record: string): string {
  return `${callKey(call)}:${record}`;
}

/**
 * The client that a source, connection or route belongs to: names in the file of client `acme` read `acme.main` outside of
 * it. Undefined for names of wrapup.yaml itself, which hold no dot.
 */
export function clientOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot < 0 ? undefined : name.slice(0, dot);
}

/** The name that a name in a client's file has outside of it. @param client undefined for wrapup.yaml */
export function fullName(client: string | undefined, name: string): string {
  return client === undefined ? name : `${client}.${name}`;
}

/** The name that a full name has in its own file: `main` of `acme.main`. */
export function localName(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** What the variables of a client begin with, before an underscore: `ACME_WEST` for `acme-west`. */
export function variablePrefix(client: string): string {
  return client
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?=\d)/, '_');
}
