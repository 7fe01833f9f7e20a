/** Bodies of Salesforce's errors. */
import type { ErrorBodies } from '../../control/fault.ts';
import type { Reply } from '../../reply.ts';

/** The body of every answer of 4xx and 5xx: a list, whose rows have `errorCode`. */
export function errorBody(errorCode: string, message: string, more: object = {}): object[] {
  return [{ message, errorCode, ...more }];
}

export function sessionInvalid(): Reply {
  return { status: 401, body: errorBody('INVALID_SESSION_ID', 'Session expired or invalid') };
}

/** @param empty body of the answer that a fault empties */
export function salesforceErrorBodies(empty: unknown): ErrorBodies {
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
