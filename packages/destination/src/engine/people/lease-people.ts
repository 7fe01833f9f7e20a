/**
 * One delivery at a time for each person, from the look-up until everything is written to them. What is newer is decided by
 * what stands in the CRM: of two deliveries that look at the same time, the older call could write after the newer one.
 */
import type { Context } from '../../port/context.ts';
import { type PlanReport, type PlanWrite, reportFailures } from '../plan/plan-write.ts';
import { leaseEach, writeLeases } from './person-cache.ts';
import { joinByNames } from './person-write.ts';

interface LeasedPeople {
  /** Plans that may go on. */
  held: PlanWrite[];
  /** Those whose person another delivery is at. */
  reports: PlanReport[];
  release(): Promise<void>;
}

/** Never rejects. A person who is reached by different numbers or addresses in two calls is not known for the same one here. */
export async function leasePeople(ctx: Context, writes: readonly PlanWrite[]): Promise<LeasedPeople> {
  // Plans that share a number or an address take one lease together.
  const groups = joinByNames(writes, ({ plan }) => writeLeases(plan.person?.match ?? []));
  // To a person who is known by speech alone nothing is written.
  const [alone, named] = [groups.filter(({ names }) => names.size === 0), groups.filter(({ names }) => names.size > 0)];
  const { held, failed, release } = await leaseEach(ctx, named, ({ names }) => [...names]);
  const free = new Set([...alone, ...held].flatMap((group) => group.writes));
  return {
    held: writes.filter((write) => free.has(write)),
    reports: [...failed].flatMap(([group, failure]) => reportFailures(group.writes, 'person', failure)),
    release,
  };
}
