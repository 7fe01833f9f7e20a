/** Failures that only HubSpot has. */
import { type Act, type FaultKindRule, replyJson } from '../../control/fault.ts';
import type { Reply } from '../../reply.ts';
import { DEFAULT_SETTINGS } from '../../settings.ts';
import { hubspotError } from './error-bodies.ts';
import { tooMany, tooManySearches } from './rate-windows.ts';

export const HUBSPOT_FAULTS = {
  locked: {
    commits: false,
    act: () => replyJson(423, hubspotError('The resource is locked. Try again in 2 seconds.', 'LOCKED')),
  },
  migrating: {
    commits: false,
    act: (spec) =>
      replyJson(477, hubspotError('The account is moving to another data centre.', 'MIGRATION_IN_PROGRESS'), {
        'Retry-After': String(spec.retry_after ?? 60),
      }),
  },
  ten_secondly: { commits: false, act: () => reply(tooMany('ten_secondly')) },
  daily: { commits: false, act: () => reply(tooMany('daily')) },
  secondly: {
    commits: false,
    act: (_spec, { forms = DEFAULT_SETTINGS.hubspot.forms }) => reply(tooManySearches(forms)),
  },
} satisfies Record<string, FaultKindRule>;

function reply({ status, body }: Reply): Act {
  return replyJson(status, body);
}
