/** What Salesforce says when it fails on purpose. */
import type { FaultWords } from '../control/faults.ts';
import type { Reply } from '../reply.ts';

/** The body of every answer of 4xx and 5xx: a list, whose rows have `errorCode`. */
export function errorBody(errorCode: string, message: string, more: object = {}): object[] {
  return [{ message, errorCode, ...more }];
}

export function limitExceeded(message: string): object[] {
  return errorBody('REQUEST_LIMIT_EXCEEDED', message);
}

export function sessionInvalid(): Reply {
  return { status: 401, body: errorBody('INVALID_SESSION_ID', 'Session expired or invalid') };
}

/** @param empty body of the answer that a fault makes an empty one of */
export function salesforceWords(empty: unknown): FaultWords {
  return {
    error: (status) =>
      status === 503
        ? errorBody('SERVER_UNAVAILABLE', 'Server temporarily unavailable')
        : errorBody(
            'UNKNOWN_EXCEPTION',
            'An unexpected error occurred. Please include this ErrorId if you contact support',
          ),
    unauthorized: sessionInvalid,
    emptySuccess: () => ({ status: 200, body: empty }),
  };
}
