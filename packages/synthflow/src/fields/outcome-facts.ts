/** Status, end reason and error: the three texts that say how a call went, in which payloads differ most. */
import type { CallStatus, EndReason } from '@wrapup/call';
import { readText } from '../parse/json.ts';
import type { Find } from '../parse/locate.ts';
import type { Notes } from '../parse/notes.ts';
import { readReason, readReasonWord } from './end-reasons.ts';
import { readStatus } from './statuses.ts';

export interface CallTexts {
  status: CallStatus;
  status_raw?: string;
  end_reason: EndReason;
  end_reason_raw?: string;
  end_reason_text?: string;
  error?: string;
}

export function readOutcomeFacts(find: Find, notes: Notes): CallTexts {
  const status = chooseStatus(find, notes);
  const reasonFound = find('end_call_reason')[0];
  const errorFound = find('error_message')[0];
  let reasonText = readText(reasonFound?.value);
  let error = readText(errorFound?.value);
  if (error !== undefined && /^(?:null|none)$/i.test(error)) error = undefined;

  // In 2024 the two were swapped: `error_message` held the end reason and `end_call_reason` the status.
  const inError = error === undefined ? undefined : readReasonWord(error);
  if (inError !== undefined && inError !== 'error' && (reasonText === undefined || readStatus(reasonText))) {
    if (readReasonWord(reasonText ?? '') !== inError)
      notes.add(errorFound?.path ?? '', 'holds the end reason: read as end_call_reason');
    reasonText = error;
    error = undefined;
  }

  let end_reason = reasonText === undefined ? undefined : readReason(reasonText);
  if (reasonText !== undefined && end_reason === undefined) {
    notes.add(reasonFound?.path ?? '', 'is an end reason that is not known: kept as end_reason_raw');
  }
  if (end_reason === undefined || end_reason === 'unknown') end_reason = (error && readReason(error)) || end_reason;

  const text = readText(find('custom_end_call_reason')[0]?.value);
  if (text !== undefined && (end_reason === undefined || end_reason === 'unknown')) end_reason = 'custom';
  return {
    ...status,
    end_reason: end_reason ?? 'unknown',
    ...(reasonText === undefined ? {} : { end_reason_raw: reasonText }),
    ...(text === undefined ? {} : { end_reason_text: text }),
    ...(error === undefined ? {} : { error }),
  };
}

/** The first that is a known status: the call's own before the one around it, `call_status` before `status`. */
export function chooseStatus(find: Find, notes: Notes): { status: CallStatus; status_raw?: string } {
  const found = find('call_status', 'status').flatMap(({ value, path }) => {
    const raw = readText(value);
    return raw === undefined ? [] : [{ raw, path, status: readStatus(raw) }];
  });
  const known = found.find(({ status }) => status !== undefined);
  for (const { path, status } of found) {
    if (status === undefined)
      notes.add(path, known ? 'is no known status: another one is used' : 'is no known status: taken as unknown');
    else if (known && status !== known.status) notes.add(path, 'contradicts the status that is used');
  }
  if (found.length === 0) notes.add('status', 'is missing: taken as unknown');
  const used = known ?? found[0];
  return { status: known?.status ?? 'unknown', ...(used ? { status_raw: used.raw } : {}) };
}
