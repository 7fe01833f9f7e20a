/**
 * What endpoints answer, as one table: status -> what happens next -> what to do about it. The first row that fits is taken.
 *
 * Success and failure as Standard Webhooks has them:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery-success-and-failure
 */
import type { TableRow } from '@wrapup/destination/http';

export interface AnswerRule extends TableRow {
  status: NonNullable<TableRow['status']>;
  /** Nothing more may be sent for so many ms when the endpoint does not say for how long (`Retry-After`). */
  wait?: number;
  /** Longest Retry-After that is believed, in ms. Absent: it is not read. */
  longest?: number;
  /** The endpoint refuses everything, not this event: nothing is sent to it for so many ms, and the connection waits. */
  closes?: number;
  hint: string;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const LATER = 'Nothing to do: the delivery goes on by itself.';

export const ANSWER_TABLE: AnswerRule[] = [
  {
    status: [300, 399],
    becomes: 'refused',
    message: 'it redirects, and redirects are not followed',
    hint: 'Put the final address into the connection’s url, then replay.',
  },
  {
    status: 401,
    becomes: 'unauthorized',
    closes: MINUTE_MS,
    message: 'it does not accept the credentials',
    hint: 'Put valid ones into the connection’s headers, or the receiver’s secret into secret; the connection goes on by itself.',
  },
  {
    status: 404,
    becomes: 'refused',
    message: 'there is nothing at this address',
    hint: 'Correct the connection’s url, or switch the receiving workflow on, then replay. retry_on: [404] tries again by itself.',
  },
  { status: 408, becomes: 'timeout', message: 'it took too long', hint: LATER },
  {
    status: 410,
    becomes: 'gone',
    // Its usual meaning is a vanished record; here the whole connection has nowhere to send to.
    next: 'reauthenticate',
    closes: 15 * MINUTE_MS,
    message: 'it wants no more events',
    hint: 'Give the connection another url, or drop its routes. Until then it is asked again every 15 minutes.',
  },
  {
    status: 413,
    becomes: 'refused',
    message: 'the event is too large for it',
    hint: 'Send less (send: "call, lead, vars", leave_out: "call.transcript, call.turns"), then replay.',
  },
  { status: 425, becomes: 'unavailable', longest: HOUR_MS, message: 'it is not ready yet', hint: LATER },
  {
    status: 429,
    becomes: 'throttled',
    wait: 10 * SECOND_MS,
    longest: 24 * HOUR_MS,
    message: 'it gets too many events',
    hint: LATER,
  },
  {
    status: [400, 499],
    becomes: 'refused',
    message: 'it refuses the event',
    hint: 'Its answer says why. Correct the mapping or the endpoint, then replay.',
  },
  { status: [500, 599], becomes: 'unavailable', longest: HOUR_MS, message: 'it failed', hint: LATER },
];

/** For statuses that the connection lists in `retry_on`. */
export const NOT_NOW: Omit<AnswerRule, 'status'> = {
  becomes: 'unavailable',
  longest: HOUR_MS,
  message: 'it does not take the event now',
  hint: LATER,
};

/** For what is no answer at all in HTTP's terms. */
export const UNKNOWN_STATUS: Omit<AnswerRule, 'status'> = {
  becomes: 'unaccounted',
  message: 'that means nothing in HTTP',
  hint: 'Check that the connection’s url leads to a web server.',
};

/** Errors of the way to the endpoint, by Node's code. What is not listed is a plain network failure. */
export const SOCKET_TABLE: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens there: check the connection’s url and that the endpoint is up.',
  ENOTFOUND: 'The name does not exist: check the connection’s url.',
  EAI_AGAIN: 'The name could not be resolved: check this machine’s DNS.',
  EHOSTUNREACH: 'Check that this machine may reach the endpoint.',
  ENETUNREACH: 'Check that this machine may reach the endpoint.',
  EPROTO: 'Check whether the connection’s url must begin with http:// or https://.',
  CERT_HAS_EXPIRED: 'The endpoint’s certificate has expired: renew it.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The endpoint’s certificate is its own: name its authority in NODE_EXTRA_CA_CERTS.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate’s authority is not known here: name it in NODE_EXTRA_CA_CERTS.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The endpoint must send its whole certificate chain.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The certificate’s authority is not known here: name it in NODE_EXTRA_CA_CERTS.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The endpoint’s certificate is for another name: check the connection’s url.',
};
