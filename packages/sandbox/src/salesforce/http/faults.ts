/** Failures that only Salesforce has. */
import { type FaultKindRule, replyJson } from '../../control/fault.ts';
import { errorBody } from './error-bodies.ts';

export const SALESFORCE_FAULTS = {
  request_limit: {
    commits: false,
    refuses: true,
    act: (spec) => replyJson(403, spec.body ?? errorBody('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.')),
  },
} satisfies Record<string, FaultKindRule>;
