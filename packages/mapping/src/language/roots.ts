/** What a path can begin with, and which of it is known before the first call. */
import {
  type Action,
  type Agent,
  ANALYSIS_KEYS,
  ANSWERED_BY,
  BOOKING_STATUSES,
  type Booking,
  CALL_STATUSES,
  type Call,
  type Collected,
  END_REASONS,
  type Lead,
  ORIGINS,
  OUTCOMES,
  type Turn,
} from '@wrapup/call';
import type { ValueKind } from '../model/compiled.ts';

/** What is known of the values under a path. */
export interface Known {
  /** Every value it can have. */
  values?: readonly (string | boolean)[];
  /** The names under it; absent: any. */
  fields?: Record<string, Known>;
  /** What every member under it is, where names or numbers are free. */
  each?: Known;
  /** Other names than those of `fields` are possible: one that is near to one of them is a mistake all the same. */
  open?: true;
  /** Nothing goes under it. */
  leaf?: true;
  /** What kind of value it is, where that is certain. */
  gives?: ValueKind;
}

type Fields<Type> = { [name in keyof Required<Type>]: Known };

const leaf: Known = { leaf: true };
const moment: Known = { leaf: true, gives: 'datetime' };
const seconds: Known = { leaf: true, gives: 'number' };
const free: Known = {};
const oneOf = (...values: readonly (string | boolean)[]): Known => ({ leaf: true, values });

const AGENT: Fields<Agent> = { id: leaf, name: leaf, number: leaf };
const TURN: Fields<Turn> = {
  speaker: oneOf('agent', 'human', 'unknown'),
  text: leaf,
  start: seconds,
  end: seconds,
};
const LEAD: Fields<Lead> = {
  name: leaf,
  first_name: leaf,
  last_name: leaf,
  email: leaf,
  email_origin: oneOf(...ORIGINS),
  said_email: leaf,
  phone: leaf,
  phone_origin: oneOf(...ORIGINS),
  phone_raw: leaf,
  country: leaf,
};
const BOOKING: Fields<Booking> = {
  status: oneOf(...BOOKING_STATUSES),
  id: leaf,
  starts_at: leaf,
  ends_at: leaf,
  moved_from: leaf,
  title: leaf,
  place: leaf,
  action: leaf,
};
const COLLECTED: Fields<Collected> = { value: free, collected: oneOf(true, false), agent_id: leaf };
const ACTION: Fields<Action> = {
  name: leaf,
  type: leaf,
  return_value: free,
  status: leaf,
  error: leaf,
  relevant: oneOf(true, false),
  at: moment,
};

/** Members of the call that are roots of their own. */
type Roots =
  | 'booking'
  | 'lead'
  | 'vars'
  | 'collected'
  | 'extracted'
  | 'actions'
  | 'analysis'
  | 'prompt_variables'
  | 'metadata'
  | 'raw';

const CALL: Fields<Omit<Call, Roots | 'source' | 'key_prefix'>> = {
  id: leaf,
  status: oneOf(...CALL_STATUSES),
  status_raw: leaf,
  terminal: oneOf(true, false),
  outcome: oneOf(...OUTCOMES),
  answered_by: oneOf(...ANSWERED_BY),
  end_reason: oneOf(...END_REASONS),
  end_reason_raw: leaf,
  end_reason_text: leaf,
  error: leaf,
  direction: oneOf('inbound', 'outbound'),
  agent: { fields: AGENT },
  started_at: moment,
  ended_at: moment,
  received_at: moment,
  utc_offset: leaf,
  timezone: leaf,
  duration: seconds,
  from_number: leaf,
  to_number: leaf,
  transcript: leaf,
  turns: { each: { fields: TURN } },
  recording_url: leaf,
  external_id: leaf,
  diversion: leaf,
  transferred_to: leaf,
  notes: { each: { fields: { path: leaf, message: leaf } } },
};

/** Sections that are mistaken for one another. */
export const FACTS: Readonly<Record<string, Record<string, Known>>> = { call: CALL, lead: LEAD };

const OPEN_ROOTS: Record<Exclude<Roots, 'lead' | 'booking'>, Known> = {
  vars: free,
  collected: { each: { fields: COLLECTED } },
  extracted: free,
  actions: { each: { fields: ACTION } },
  analysis: { fields: Object.fromEntries(ANALYSIS_KEYS.map((name) => [name, leaf])), each: leaf, open: true },
  prompt_variables: free,
  metadata: free,
  raw: free,
};

/** Those under which names are free, so that a name that no call ever has may be a slip. */
export const NAMED_ROOTS = [
  'vars',
  'collected',
  'extracted',
  'actions',
  'analysis',
  'prompt_variables',
  'metadata',
] as const satisfies (keyof typeof OPEN_ROOTS)[];
export type NamedRoot = (typeof NAMED_ROOTS)[number];

export const ROOTS: Record<string, Known> = {
  call: { fields: CALL },
  booking: { fields: BOOKING },
  lead: { fields: LEAD },
  ...OPEN_ROOTS,
  /** Synthflow's own name of `call.end_reason_text`. */
  custom_end_call_reason: leaf,
  source: { fields: { name: leaf, client: leaf } },
  /** Values that the mapping names under `define`. */
  my: { each: leaf },
  /** Properties of the matched record, by the CRM's own names. */
  person: { each: leaf },
};
