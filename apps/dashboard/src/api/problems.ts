import type { ChoiceRefused } from '@wrapup/queue';
import { callable } from '@wrapup/telemetry';
import type { Response } from 'express';

/** Why the API refuses a request, each reason with its status (RFC 9457). The codes are stable. */
const PROBLEMS = {
  'no-such-path': { status: 404, title: 'Nothing is served at this path', hint: '/api/v1/openapi.json lists what is.' },
  'method-not-allowed': {
    status: 405,
    title: 'This path does not take this method',
    hint: '/api/v1/openapi.json lists what it takes.',
  },
  'no-token': {
    status: 401,
    title: 'A token is missing',
    hint: 'Send Authorization: Bearer with a token. `wrapup token add` makes one. Cookies and passwords of the dashboard do not count here.',
  },
  'wrong-token': {
    status: 401,
    title: 'The token is unknown, expired or revoked',
    hint: '`wrapup token list` says which there are, `wrapup token add` makes one.',
  },
  'not-allowed': {
    status: 403,
    title: 'The role of this token does not allow it',
    hint: 'Make a token with the role that the document names.',
  },
  'not-found': { status: 404, title: 'It is not there, or not for this token' },
  'invalid-request': { status: 400, title: 'The request is not as the document says' },
  'invalid-cursor': { status: 400, title: 'No page has this cursor', hint: 'Take `next` of the page before.' },
  'not-json': {
    status: 415,
    title: 'The body is no JSON',
    hint: 'Send one JSON object with content-type: application/json.',
  },
  'too-large': { status: 413, title: 'The body is too large' },
  'too-many-requests': { status: 429, title: 'Too many requests with this token', hint: 'Wait as Retry-After says.' },
  unavailable: { status: 503, title: 'Redis does not answer', hint: 'Nothing is lost by that. Try again in a moment.' },
  internal: { status: 500, title: 'The dashboard failed', hint: 'Its log says why.' },
} as const satisfies Record<string, { status: number; title: string; hint?: string }>;
export type ApiProblemCode = keyof typeof PROBLEMS;

interface ApiProblemParts {
  /** What is wrong with this request. */
  detail?: string;
  errors?: { at: string; message: string }[];
  headers?: Record<string, string>;
}

/** Thrown to refuse a request. */
export class ApiProblem extends Error {
  override name = 'ApiProblem';
  readonly code: ApiProblemCode;
  readonly parts: ApiProblemParts;

  constructor(code: ApiProblemCode, parts: ApiProblemParts = {}) {
    super(parts.detail ?? PROBLEMS[code].title);
    this.code = code;
    this.parts = parts;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  send(response: Response): void {
    const { title, status, hint }: { title: string; status: number; hint?: string } = PROBLEMS[this.code];
    response
      .status(status)
      .set(this.parts.headers ?? {})
      .type('application/problem+json')
      .send(
        JSON.stringify({
          ...{ type: `urn:wrapup:problem:${this.code}`, title, status, detail: this.message },
          ...(hint === undefined ? {} : { hint: callable(hint) }),
          ...(this.parts.errors ? { errors: this.parts.errors } : {}),
        }),
      );
  }
}

/** Why a choice is refused. */
const CHOICES_REFUSED: Record<ChoiceRefused, { at: string; message: string }> = {
  no_candidate: { at: 'body.person', message: 'the person is none of the candidates' },
  only_said: {
    at: 'body.remember',
    message: 'the number or address was only said, so that no later call is chosen by it',
  },
};

export function choiceProblem(why: ChoiceRefused): ApiProblem {
  return new ApiProblem('invalid-request', { detail: 'Nothing was changed.', errors: [CHOICES_REFUSED[why]] });
}

/** Codes by status, for the document. */
export function problemsOf(status: number): string[] {
  return Object.entries(PROBLEMS).flatMap(([code, problem]) => (problem.status === status ? [code] : []));
}
