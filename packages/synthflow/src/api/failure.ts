/**
 * Why the Synthflow API gave no answer that can be used. The message reaches logs and the ledger: the vendor's own text
 * is scrubbed before it is quoted.
 */
import { own } from '@wrapup/call';
import { scrub } from '@wrapup/destination';
import { readText } from '../parse/json.ts';

/**
 * What each failure means to the caller. `again`: a later attempt may succeed. `hint`: what a person can do.
 * Status codes: https://docs.synthflow.ai/api-reference; that a key of another region gets 401 was seen, not documented.
 */
const CODES = {
  unauthorized: {
    again: false,
    hint: 'Either the API key is wrong, or it belongs to another region: keys of one region are unknown in the others. Compare api_key and region of the source with Settings > API Keys in Synthflow.',
  },
  forbidden: {
    again: false,
    hint: 'The key may not see this workspace: compare workspace_id of the source with Synthflow.',
  },
  unknown_call: { again: true, hint: 'Records of calls appear minutes after their end.' },
  unknown_log: { again: false, hint: 'Webhook logs are kept for a while only.' },
  refused: { again: false, hint: undefined },
  wrong_place: { again: false, hint: 'Compare base_url and region of the source: no Synthflow API answers there.' },
  throttled: { again: true, hint: undefined },
  unavailable: { again: true, hint: undefined },
  timeout: { again: true, hint: undefined },
  network: { again: true, hint: undefined },
  unreadable: { again: true, hint: undefined },
  too_large: { again: false, hint: 'One answer held more than can be read at once.' },
} as const satisfies Record<string, { again: boolean; hint: string | undefined }>;

export type ApiFailureCode = keyof typeof CODES;

export interface ApiFailureDetails {
  /** HTTP status; absent when nothing was answered. */
  status?: number;
  /** Milliseconds that the API asked to wait. */
  retry_after?: number;
  /** For Synthflow's support. */
  request_id?: string;
}

export class SynthflowApiError extends Error {
  override name = 'SynthflowApiError';
  readonly code: ApiFailureCode;
  readonly details: ApiFailureDetails;

  constructor(code: ApiFailureCode, message: string, details: ApiFailureDetails = {}) {
    // No cause: the client's errors hold the request with its key.
    super(message);
    this.code = code;
    this.details = details;
  }

  /** Whether the same question may be answered later. */
  get again(): boolean {
    return CODES[this.code].again;
  }

  get hint(): string | undefined {
    return CODES[this.code].hint;
  }
}

/** Statuses that mean the same on every path; 404 depends on what was asked for. */
const BY_STATUS: Record<number, ApiFailureCode> = {
  401: 'unauthorized',
  403: 'forbidden',
  408: 'timeout',
  413: 'too_large',
  425: 'unavailable',
  429: 'throttled',
};

/** An answer that is no success. @param missing what a 404 in the API's own words means */
export function failureOf(
  status: number,
  body: unknown,
  { what, missing, retry_after }: { what: string; missing: ApiFailureCode; retry_after?: number | undefined },
): SynthflowApiError {
  const said = readEnvelope(body);
  const details: ApiFailureDetails = {
    status,
    ...(retry_after === undefined ? {} : { retry_after }),
    ...(said.request_id === undefined ? {} : { request_id: said.request_id }),
  };
  const quote = said.text === undefined ? '' : `: ${scrub(said.text, 200)}`;
  const known = BY_STATUS[status] ?? (status >= 500 ? 'unavailable' : undefined);
  if (known) return new SynthflowApiError(known, `Synthflow answered ${status} to ${what}${quote}`, details);
  // A proxy's or another program's 404 says nothing about the call.
  const code = status === 404 ? (said.text === undefined ? 'wrong_place' : missing) : redirects(status);
  return new SynthflowApiError(code, `Synthflow answered ${status} to ${what}${quote}`, details);
}

function redirects(status: number): ApiFailureCode {
  return status >= 300 && status < 400 ? 'wrong_place' : 'refused';
}

/** `{detail: {description, request_id, category}}` of calls and agents, `{error, message}` of logs. */
function readEnvelope(body: unknown): { text: string | undefined; request_id: string | undefined } {
  const detail = own(body, 'detail');
  const text =
    readText(own(detail, 'description')) ??
    readText(own(detail, 'category')) ??
    readText(detail) ??
    readText(own(body, 'message')) ??
    readText(own(body, 'error'));
  return { text, request_id: readText(own(detail, 'request_id')) };
}
