/**
 * How often the API of a source is asked because of webhooks, over all processes. A sender of webhooks must not be able
 * to use up the API key of the source; calls beyond the budget wait in the queue.
 */
import { randomUUID } from 'node:crypto';
import { PRIORITIES } from '@wrapup/destination';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { takeSome } from './budget-scripts.ts';

/** The budget is counted in windows of this length, so that a call need not wait for a whole minute. */
const WINDOW_MS = 10_000;
const POOL = 'reads';

interface ReadRequest {
  source: string;
  /** Reads a minute that the source allows. */
  per_minute: number;
  /** The call was asked for before: it leaves a tenth of the budget to those that were not, and lets them go first. */
  repeated: boolean;
}

/** @returns 0 when the call may be read, else ms to wait */
export async function takeRead(
  redis: RedisClient,
  keys: Keys,
  { source, per_minute, repeated }: ReadRequest,
): Promise<number> {
  // No connection has a slash in its name.
  const name = `source/${source}`;
  const limit = Math.max(1, Math.ceil((per_minute * WINDOW_MS) / 60_000));
  const rank = PRIORITIES.indexOf(repeated ? 'replay' : 'live');
  const [, wait] = await takeSome(
    redis,
    [keys.budgetLog(name, POOL), keys.budget(name, POOL), keys.budgetShare(name), keys.daily(name)],
    [Date.now(), limit, WINDOW_MS, rank, 0, randomUUID(), 0, 1],
  );
  return wait;
}
