/** What endpoints answered, or did not, as failures. Messages name the host, never the rest of the address. */
import { Failure, type FailureDetails } from '@wrapup/destination';
import { fitsStatus } from '@wrapup/destination/http';
import type { EndpointAnswer, NoAnswer } from '../client/exchange.ts';
import type { AddressRefused } from '../client/guarded-agent.ts';
import { type HttpSettings, hintFor, hostOf } from '../endpoint/settings.ts';
import { ANSWER_TABLE, type AnswerRule, NOT_NOW, SOCKET_TABLE, UNKNOWN_STATUS } from './answer-table.ts';

/** Headers by which receivers name a request in their own logs. */
const CORRELATION = [
  'x-request-id',
  'x-correlation-id',
  'request-id',
  'x-slack-req-id',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'x-vercel-id',
  'cf-ray',
];

/** @param retryOn statuses that are tried again on this connection */
export function ruleFor(status: number, retryOn: number[]): Omit<AnswerRule, 'status'> {
  if (retryOn.includes(status)) return NOT_NOW;
  return ANSWER_TABLE.find((rule) => fitsStatus(rule.status, status)) ?? UNKNOWN_STATUS;
}

interface AnsweredFailure {
  failure: Failure;
  /** Nothing may be sent to the endpoint for so many ms. */
  wait?: number;
  /** The endpoint refuses everything for so many ms. */
  closes?: number;
}

/** @param said the beginning of the answer's body, without anything personal */
export function failureOfAnswer(answer: EndpointAnswer, said: string, settings: HttpSettings): AnsweredFailure {
  const rule = ruleFor(answer.status, settings.retry_on);
  const asked = readRetryAfter(answer.headers['retry-after'], Date.now());
  const wait =
    rule.longest !== undefined && asked !== undefined ? Math.min(asked, rule.longest) : (rule.wait ?? undefined);
  const correlation = correlationOf(answer.headers);
  const details: FailureDetails = {
    status: answer.status,
    hint: rule.hint,
    ...(rule.next ? { next: rule.next } : {}),
    ...(wait === undefined ? {} : { retry_after: wait }),
    ...(correlation ? { correlation_id: correlation } : {}),
  };
  const quoted = said === '' ? '' : ` It says: ${said}`;
  const message = `${hostOf(settings)} answered ${answer.status}: ${rule.message}.${quoted}`;
  return {
    failure: new Failure(rule.becomes, message, details),
    ...(wait === undefined ? {} : { wait }),
    ...(rule.closes === undefined ? {} : { closes: rule.closes }),
  };
}

function correlationOf(headers: Record<string, string>): string | undefined {
  for (const name of CORRELATION) {
    const value = headers[name];
    if (value !== undefined && /^[\w.:=;+/-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}

export function failureOfSilence({ why, code, refused }: NoAnswer, settings: HttpSettings): Failure {
  const host = hostOf(settings);
  switch (why) {
    case 'deadline':
      return new Failure('timeout', `${host} gave no whole answer within the timeout; the connection was closed.`, {
        hint: 'The delivery is tried again by itself, with the same webhook-id. A slow endpoint should answer first and work later.',
      });
    case 'withdrawn':
      return withdrawn(settings);
    case 'refused':
      return refused ? refusedAddress(refused, settings) : new Failure('internal', `${host} was not connected to.`);
    case 'network':
      return new Failure('network', `The connection to ${host} failed${code ? ` (${code})` : ''}.`, {
        // Without the cause: axios hangs the whole request on its errors.
        hint: SOCKET_TABLE[code] ?? 'Check that this machine reaches the endpoint.',
      });
  }
}

/** The connection is misconfigured, not the call: it waits, and goes on when the address is permitted. */
export function refusedAddress({ address, is }: AddressRefused, settings: HttpSettings): Failure {
  return new Failure('refused', `${hostOf(settings)} was not connected to: its address is ${is}.`, {
    next: 'reauthenticate',
    hint: `Look at the connection’s url: ${hintFor(address)}.`,
  });
}

export function withdrawn(settings: HttpSettings): Failure {
  return new Failure(
    'busy',
    `Sending to ${hostOf(settings)} was given up, because the work was withdrawn (shutdown, or another worker has it).`,
    { retry_after: 0 },
  );
}

export function tooLate(settings: HttpSettings): Failure {
  return new Failure('timeout', `Nothing was sent to ${hostOf(settings)}: the time for this batch was over.`, {
    hint: 'The delivery is tried again by itself.',
  });
}

/** `Retry-After` in ms: seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}(?:\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
