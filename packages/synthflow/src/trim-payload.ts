/**
 * What a source's `keep:` setting leaves of a payload, applied before anything is stored.
 *
 * `transcript: false` drops the transcript's text. `raw: false` drops everything that the normaliser does not read:
 * telephony details, action definitions (most of a large payload), fields that no one knows. The call record is the same
 * afterwards, but for `raw`, its notes, and the transcript where that is dropped.
 */
import { isObject, own } from '@wrapup/call';
import { isTransfer, TARGET_KEYS } from './fields/transfers-and-bookings.ts';
import { isShallow, parseNested, readText } from './parse/json.ts';
import { CALL_ID_NAMES, locate } from './parse/locate.ts';

export interface Keep {
  transcript: boolean;
  raw: boolean;
}

/** What the normaliser reads of a call's own object and of the one around it. */
const READ: readonly string[] = [
  ...CALL_ID_NAMES,
  ...['status', 'call_status', 'end_call_reason', 'custom_end_call_reason', 'error_message'],
  ...['model_id', 'agent_phone_number', 'type_of_call', 'direction'],
  ...['duration', 'start_time', 'telephony_start', 'timezone'],
  ...['transcript', 'recording_url', 'external_id', 'diversion'],
  ...[
    'phone_number_from',
    'from_phone_number',
    'from_number',
    'phone_number_to',
    'to_phone_number',
    'to_number',
    'phones',
  ],
  ...['lead_name', 'lead_phone_number', 'lead_email', 'name'],
  ...['collected_variables', 'analysis', 'judge_results', 'prompt_variables', 'metadata'],
];
const READ_OF_LEAD = ['name', 'phone_number', 'email', 'prompt_variables'] as const;
const READ_OF_ACTION = [
  ...['name', 'action_type', 'return_value', 'return_value_status', 'error_message', 'is_relevant_action'],
  ...['timestamp', 'timestamp_datetime'],
] as const;

/** Levels kept: what is nested deeper parses, but could not be written as JSON text again. */
const MAX_LEVELS = 1000;

/**
 * The payload without what the source must not store. Never changes what it was given; gives the same value back when
 * everything is kept. Otherwise the result can always be turned into JSON text.
 */
export function trimPayload(payload: unknown, { transcript, raw }: Keep): unknown {
  if (transcript && raw) return payload;
  const trimmed = raw ? payload : pickRead(payload);
  return prune(transcript ? trimmed : dropTranscripts(trimmed));
}

/** Only what the normaliser reads, in the shape that it came in. A payload of no known shape is kept as it is. */
function pickRead(payload: unknown): unknown {
  const located = locate(payload);
  if (!located) return payload;
  if (located.shape === 'webhook') return { ...pickRecord(located.root), call: pickRecord(located.record) };
  const record = pickRecord(located.record);
  return located.record === payload ? record : { response: { calls: [record] } };
}

function pickRecord(record: unknown): { [key: string]: unknown } {
  const picked = pick(record, READ);
  const lead = own(record, 'lead');
  if (isObject(lead)) picked.lead = pick(lead, READ_OF_LEAD);
  else if (lead !== undefined) picked.lead = lead;
  const executed = own(record, 'executed_actions');
  if (executed !== undefined) picked.executed_actions = pickActions(parseNested(executed).value);
  return picked;
}

function pickActions(executed: unknown): unknown {
  if (Array.isArray(executed)) return executed.map((action) => pickAction(action, readText(own(action, 'name')) ?? ''));
  if (!isObject(executed)) return executed;
  return Object.fromEntries(Object.entries(executed).map(([name, action]) => [name, pickAction(action, name)]));
}

function pickAction(action: unknown, name: string): unknown {
  if (!isObject(action)) return action;
  const names = isTransfer(name, readText(own(action, 'action_type'))) ? TARGET_KEYS : ['identifier'];
  const defined = pick(parseNested(own(action, 'parameters_hard_coded')).value, names);
  return {
    ...pick(action, READ_OF_ACTION),
    ...(Object.keys(defined).length === 0 ? {} : { parameters_hard_coded: defined }),
  };
}

function pick(value: unknown, keys: readonly string[]): { [key: string]: unknown } {
  const picked: { [key: string]: unknown } = {};
  for (const key of keys) {
    const member = own(value, key);
    if (member !== undefined) picked[key] = member;
  }
  return picked;
}

/** Transcripts stand in the payload itself, in its `call`, or in the records of an API answer. */
function dropTranscripts(payload: unknown): unknown {
  if (!isObject(payload)) return payload;
  const { transcript: _, ...rest } = payload;
  if (isObject(rest.call)) rest.call = dropTranscripts(rest.call);
  if (isObject(rest.response) && Array.isArray(rest.response.calls)) {
    rest.response = { ...rest.response, calls: rest.response.calls.map(dropTranscripts) };
  }
  return rest;
}

function prune(value: unknown): unknown {
  return isShallow(value, MAX_LEVELS) ? value : cut(value, MAX_LEVELS);
}

function cut(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return null;
  if (Array.isArray(value)) return value.map((item) => cut(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, cut(member, levels - 1)]));
}
