import type { Failure } from '../failure.ts';
import { applyOwners, failJob, isUnsettled, type Job } from './job.ts';
import type { Directory } from './owner-choice.ts';

/** Attempts after which a delivery goes on without an owner that the CRM does not tell. */
const PATIENCE = 3;

export interface OwnerSource {
  /** The CRM's property that names who a person belongs to: a mapping that reads it may name owners once it is settled. */
  property: string;
  /** @param plans numbers of the plans that ask. @throws the failure of a request that may succeed another time */
  read(plans: number[]): Promise<Directory>;
  toFailure(thrown: unknown): Failure;
}

/**
 * Gives every job that needs it the account's owners, and fills in the owners of those whose plan is settled. While the
 * CRM does not answer the delivery is tried again a few times, so that a follow-up does not end up with nobody; then it
 * goes on without. Never rejects.
 */
export async function giveOwners(jobs: Job[], { property, read, toFailure }: OwnerSource): Promise<void> {
  const asking = jobs.filter((job) => wantsOwner(job, property));
  if (asking.length === 0) return;
  let directory: Directory;
  try {
    directory = await read(asking.map(({ index }) => index));
  } catch (thrown) {
    const failure = toFailure(thrown);
    for (const job of asking.filter(({ plan }) => (plan.resume?.attempts ?? 0) < PATIENCE))
      failJob(job, failure, 'owner');
    directory = { byEmail: new Map(), why: failure.message };
  }
  for (const job of asking) {
    job.owners = directory;
    if (!isUnsettled(job)) applyOwners(job);
  }
}

function wantsOwner({ plan, outcome }: Job, property: string): boolean {
  if (outcome) return false;
  return plan.person?.owner !== undefined || plan.records.some(({ owner }) => owner) || plan.needs.includes(property);
}
