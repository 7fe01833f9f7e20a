import { callable } from '@wrapup/telemetry';

/**
 * Why a request is refused, each reason with its status (RFC 9457). A 4xx is the sender's to fix; 429 is never sent, since
 * senders of webhooks tend to drop the event on it. The codes are stable: they are part of the answer's `type` and label
 * the metrics.
 */
interface ProblemKind {
  status: number;
  title: string;
  hint?: string;
  headers?: Record<string, string>;
}

const PROBLEMS = {
  'no-such-path': {
    status: 404,
    title: 'Nothing is served at this path',
    hint: 'Webhooks go to /webhooks/<source>/post-call and /webhooks/<source>/inbound-call.',
  },
  // One answer for both, so that it does not show which sources exist or that only the token is missing.
  'unknown-source': {
    status: 404,
    title: 'Unknown source, or wrong path token',
    hint: 'Compare the URL with `sources:` in wrapup.yaml. Where a source has a path_token, the URL is /webhooks/<source>/<token>/post-call.',
  },
  'bad-path': { status: 400, title: 'The path is not validly percent-encoded' },
  'method-not-allowed': {
    status: 405,
    title: 'This path takes POST',
    headers: { allow: 'GET, HEAD, POST' },
  },
  'signature-missing': {
    status: 401,
    title: 'Signature header missing',
    hint: 'A proxy in front may have dropped it: its name may contain underscores, which nginx drops unless `underscores_in_headers on` is set. If the Synthflow workspace has no secret, none is sent: generate one under webhook security, or, for a subaccount, have the parent workspace share its own.',
    headers: { 'www-authenticate': 'Synthflow-Signature' },
  },
  'signature-wrong': {
    status: 401,
    title: 'Signature wrong',
    hint: 'webhook_secrets of this source must hold the webhook secret of the workspace that sends; while it is rotated, the old and the new one.',
    headers: { 'www-authenticate': 'Synthflow-Signature' },
  },
  'no-proof': {
    status: 401,
    title: 'Nothing can prove the sender',
    hint: 'Under `trust: api` a source needs webhook_secrets, so that calls are signed, or a path_token, so that the URL is /webhooks/<source>/<token>/post-call. Set one of them.',
    headers: { 'www-authenticate': 'Synthflow-Signature' },
  },
  'not-json-type': {
    status: 415,
    title: 'Content type is not JSON in UTF-8',
    hint: 'Send content-type: application/json.',
  },
  'unknown-encoding': {
    status: 415,
    title: 'Content encoding is not supported',
    hint: 'Send the body plain, or compressed once with gzip, deflate or br.',
    headers: { 'accept-encoding': 'gzip, deflate, br' },
  },
  'too-large': {
    status: 413,
    title: 'Body too large',
    hint: 'Raise INGRESS_MAX_BODY, or send less. A body that becomes more than 100 times as large when it is decompressed needs a path token.',
  },
  'too-large-unproved': {
    status: 413,
    title: 'Body too large for a sender that is not proved',
    hint: 'A sender is proved as soon as the signed call id has come, or before the body by a path token: set path_token of the source, and the URL is /webhooks/<source>/<token>/post-call. From then on INGRESS_MAX_BODY is the limit.',
  },
  'too-many-values': {
    status: 413,
    title: 'Too many values in the body',
    hint: 'Objects, lists and what is in them are counted. No event of a call has nearly as many.',
  },
  'too-deep': { status: 400, title: 'The body is nested too deeply' },
  'too-slow': {
    status: 408,
    title: 'The body came too slowly',
    hint: 'Send at least 16 KB a second, and the whole within ten seconds; a sender that is proved has a minute.',
  },
  'bad-encoding': { status: 400, title: 'The body is not what its content encoding says' },
  'not-json': { status: 400, title: 'The body is not JSON' },
  'no-call-id': {
    status: 400,
    title: 'No call id in the body',
    hint: 'A post-call event carries it as call.call_id.',
  },
  'two-call-ids': {
    status: 400,
    title: 'The body says two call ids that differ',
    hint: 'A post-call event carries one, as call.call_id.',
  },
  busy: {
    status: 503,
    title: 'Too many bytes are being received at once',
    hint: 'Send it again. If this goes on, raise INGRESS_MAX_IN_FLIGHT or run more ingress processes.',
    headers: { 'retry-after': '1' },
  },
  unavailable: {
    status: 503,
    title: 'The call could not be stored',
    hint: 'Send it again. /readyz says what is wrong with Redis.',
    headers: { 'retry-after': '5' },
  },
  'client-unusable': {
    status: 503,
    title: 'The configuration of this client has errors',
    hint: 'Send it again. The operator sees what is wrong with `wrapup check`, on the dashboard and in the log.',
    headers: { 'retry-after': '60' },
  },
  internal: { status: 500, title: 'Ingress failed', headers: { 'retry-after': '5' } },
} as const satisfies Record<string, ProblemKind>;

export type HttpProblemCode = keyof typeof PROBLEMS;

/** All problems, for the reference: status, code, title and hint, by status. */
export function listHttpProblems(): { status: number; code: string; title: string; hint?: string }[] {
  return Object.entries<ProblemKind>(PROBLEMS)
    .map(([code, { status, title, hint }]) => ({ status, code, title, ...(hint ? { hint } : {}) }))
    .sort((a, b) => a.status - b.status);
}

/** Thrown to refuse a request. The detail is sent, so nothing of the body may be in it. */
export class HttpProblem extends Error {
  override name = 'HttpProblem';
  readonly code: HttpProblemCode;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(code: HttpProblemCode, detail?: string, cause?: unknown) {
    const kind: ProblemKind = PROBLEMS[code];
    super(detail ?? kind.title, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = kind.status;
    this.headers = kind.headers ?? {};
  }

  /** The answer's body, as `application/problem+json` (RFC 9457). */
  toJson(): string {
    const { title, hint }: ProblemKind = PROBLEMS[this.code];
    return JSON.stringify({
      type: `urn:wrapup:problem:${this.code}`,
      title,
      status: this.status,
      detail: this.message,
      ...(hint && { hint: callable(hint) }),
    });
  }

  /** Makes a problem of anything thrown. An unknown error becomes `internal`, without its message. */
  static of(thrown: unknown): HttpProblem {
    if (thrown instanceof HttpProblem) return thrown;
    // Express throws it for a path that it cannot decode. Its message quotes the path, which may hold a token.
    if (thrown instanceof URIError) return new HttpProblem('bad-path');
    return new HttpProblem('internal', undefined, thrown);
  }
}

/** The sender closed the connection before its body was complete, so no answer is sent. */
export class Aborted extends Error {
  override name = 'Aborted';
}
