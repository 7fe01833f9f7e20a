/**
 * Where things stand in a payload. Four shapes are known:
 *
 *   post-call webhook   { status, lead, call: { call_id, … }, executed_actions, analysis, … }
 *   REST record         { call_id, call_status | status, judge_results, … }, one item of `GET /v2/calls`
 *   REST answer         { status, response: { calls: [ record ] } }, what `GET /v2/calls/{id}` gives
 *   flat                { Call_id | callId | call_id, call_status, phone_number_to, … }, hand-made in workflows
 *
 * https://docs.synthflow.ai/post-call-webhook, https://docs.synthflow.ai/api-reference
 */
import { isObject, own } from '@wrapup/call';
import { isNothing } from './json.ts';

export interface Located {
  id: string;
  shape: 'webhook' | 'record';
  /** The object that holds what belongs to the call itself. */
  record: unknown;
  /** The object around it; the same as `record` in every shape but the webhook's. */
  root: unknown;
  /** Paths of the two in the payload, for notes: `call.`, `response.calls[0].`, or nothing. */
  record_path: string;
  root_path: string;
  /** True when the payload holds another call id besides. */
  contradicted: boolean;
}

/** Longest call id taken, in UTF-16 units; real ones have at most 36. */
const MAX_ID_LENGTH = 256;
/** Spellings of the call id in the flat shape. */
export const CALL_ID_NAMES = ['call_id', 'callId', 'Call_id', 'call_Id', 'CallId', 'CALL_ID'] as const;

/**
 * The call id, from any shape that is known.
 * @returns undefined when there is none that could be one: a non-empty string of at most 256 characters, well-formed and
 * without control characters, or a safe integer
 */
export function readCallId(payload: unknown): string | undefined {
  return locate(payload)?.id;
}

export function locate(payload: unknown): Located | undefined {
  const call = own(payload, 'call');
  const native = idOf(own(call, 'call_id'));
  const flat = flatId(payload);
  if (native !== undefined || (flat !== undefined && isObject(call))) {
    return {
      id: (native ?? flat) as string,
      shape: 'webhook',
      record: call,
      root: payload,
      record_path: 'call.',
      root_path: '',
      contradicted: native !== undefined && flat !== undefined && native !== flat,
    };
  }
  if (flat !== undefined) return recordAt(payload, flat, '');
  const calls = own(own(payload, 'response'), 'calls');
  const first = Array.isArray(calls) ? calls[0] : undefined;
  const id = flatId(first);
  return id === undefined ? undefined : recordAt(first, id, 'response.calls[0].');
}

function recordAt(record: unknown, id: string, path: string): Located {
  return { id, shape: 'record', record, root: record, record_path: path, root_path: path, contradicted: false };
}

function flatId(record: unknown): string | undefined {
  for (const name of CALL_ID_NAMES) {
    const id = idOf(own(record, name));
    if (id !== undefined) return id;
  }
  return undefined;
}

/** A value as a call id; undefined when it cannot be one. */
export function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH || value.trim() === '') return undefined;
  // Two ids that differ in a lone surrogate have the same UTF-8, so the same signature.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value) ? value : undefined;
}

/** Something that stands in the payload, and where. */
export interface LocatedValue {
  value: unknown;
  path: string;
}

/** Looks facts up under any of their names: in the call's own object first, then in the one around it. */
export type Find = (...names: string[]) => LocatedValue[];

/** Nulls and blank texts are no facts and are passed over. */
export function makeFind({ record, root, record_path, root_path }: Located): Find {
  return (...names) => {
    const found: LocatedValue[] = [];
    const look = (holder: unknown, prefix: string, name: string) => {
      const value = own(holder, name);
      if (!isNothing(value)) found.push({ value, path: prefix + name });
    };
    for (const name of names) look(record, record_path, name);
    if (root !== record) for (const name of names) look(root, root_path, name);
    return found;
  };
}
