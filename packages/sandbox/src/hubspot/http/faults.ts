/** Failures that only HubSpot has. */
import { type Act, type FaultKindRule, replyJson } from '../../control/fault.ts';
import { hubspotError } from './error-bodies.ts';
import { type Policy, tooMany } from './rate-windows.ts';

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
  ten_secondly: { commits: false, act: () => rateLimited('ten_secondly') },
  daily: { commits: false, act: () => rateLimited('daily') },
  secondly: { commits: false, act: () => rateLimited('secondly') },
} satisfies Record<string, FaultKindRule>;

function rateLimited(policy: Policy): Act {
  const { status, body } = tooMany(policy);
  return replyJson(status, body);
}
