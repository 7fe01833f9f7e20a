/**
 * Call records of the API. The list holds analysis, lead and `call_status`; the answer for one call holds prompt variables
 * and the custom end reason, and `status` instead. Together they hold what a webhook does.
 */
import { isObject, type JsonObject, own } from '@wrapup/call';
import { isNothing } from '../parse/json.ts';
import { readCallId } from '../parse/locate.ts';
import { readInstant, readSeconds } from '../parse/times.ts';

/** What the list says of a call beyond what the answer for one call does, or the other way round: neither is complete. */
export function mergeRecords(single: JsonObject, listed: JsonObject | undefined): JsonObject {
  if (!listed) return single;
  const merged: JsonObject = { ...listed };
  for (const [key, value] of Object.entries(single)) {
    if (!isNothing(value) || !(key in merged)) merged[key] = value;
  }
  return merged;
}

/** The record of one call from the answer to `GET /v2/calls/{id}`: in its wrapper, or bare. */
export function readSingle(answer: unknown): JsonObject | undefined {
  const response = own(answer, 'response');
  const calls = own(response, 'calls');
  for (const candidate of [Array.isArray(calls) ? calls[0] : undefined, response, answer]) {
    if (isObject(candidate) && readCallId(candidate) !== undefined) return candidate as JsonObject;
  }
  return undefined;
}

/** When a call began and ended, epoch ms, as far as its record says. */
export function timesOf(record: JsonObject): { started?: number; ended?: number } {
  const started = (readInstant(own(record, 'start_time')) ?? readInstant(own(record, 'telephony_start')))?.ms;
  if (started === undefined) return {};
  return { started, ended: started + (readSeconds(own(record, 'duration')) ?? 0) * 1000 };
}
