/**
 * One budget per connection and pool, in Redis, shared by all processes.
 *
 * A window is `{left, ends}`. While one is running, a request takes one from `left`; at nought it waits for `ends`.
 * Outside a window one of the vendor's known size begins. What the CRM itself says (`report`) replaces our count: other
 * programs use the same account. `blocked` holds everybody back until then (429, Retry-After).
 *
 * While somebody answers inbound calls from a connection (`keepShare`), a tenth of each window is left to that lane: a
 * caller who waits on the phone cannot wait for a batch. Nobody else is asked to leave anything where no one answers.
 */
import { type Budget, Failure, type Lane, type Usage } from '@wrapup/destination';
import type { Keys } from './keys.ts';
import { defineScript, type RedisClient } from './redis.ts';

/** KEYS window, share. ARGV now, limit, window ms, '1' for the lane that the share is for. Answers 0 when one was taken, else ms to wait. */
const takeOne = defineScript<number>(
  'wrapupTake',
  `
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local have = redis.call('HMGET', KEYS[1], 'left', 'ends', 'blocked')
local left, ends, blocked = tonumber(have[1]), tonumber(have[2]), tonumber(have[3])
if blocked and blocked > now then return math.ceil(blocked - now) end
if not ends or ends <= now then
  if limit <= 0 then return 0 end
  left, ends = limit, now + window
  redis.call('HSET', KEYS[1], 'ends', ends)
end
local kept = 0
if ARGV[4] ~= '1' and redis.call('EXISTS', KEYS[2]) == 1 then
  kept = limit > 0 and math.min(limit - 1, math.max(1, math.floor(limit / 10))) or 1
end
if left <= kept then return math.max(1, math.ceil(ends - now)) end
redis.call('HSET', KEYS[1], 'left', left - 1)
redis.call('PEXPIRE', KEYS[1], 86400000)
return 0
`,
);

/** KEYS window. ARGV now, remaining or '', resets in ms or '', blocked for ms or ''. What is known is never raised within a window. */
const noteUsage = defineScript<number>(
  'wrapupUsage',
  `
local now = tonumber(ARGV[1])
if ARGV[4] ~= '' then
  local till = now + tonumber(ARGV[4])
  local have = tonumber(redis.call('HGET', KEYS[1], 'blocked') or '0')
  if till > have then redis.call('HSET', KEYS[1], 'blocked', till) end
end
if ARGV[2] ~= '' then
  local have = redis.call('HMGET', KEYS[1], 'left', 'ends')
  local left, ends = tonumber(have[1]), tonumber(have[2])
  local remaining = tonumber(ARGV[2])
  if not ends or ends <= now then
    redis.call('HSET', KEYS[1], 'left', remaining, 'ends', now + tonumber(ARGV[3] ~= '' and ARGV[3] or '1000'))
  elseif remaining < left then
    redis.call('HSET', KEYS[1], 'left', remaining)
  end
end
redis.call('PEXPIRE', KEYS[1], 86400000)
return 1
`,
);

/** An inbound call that waits longer than this for quota goes without, in ms: the phone is ringing. */
const INBOUND_WAIT = 200;
/** How long a share stays kept for inbound calls after `keepShare`, in ms. */
const SHARE_KEPT = 3 * 60_000;

/** Keeps a share of a connection's quota for the lane `inbound`, for three minutes: call it again before they are over. */
export async function keepShare(redis: RedisClient, keys: Keys, connection: string): Promise<void> {
  await redis.set(keys.budgetShare(connection), '1', 'PX', SHARE_KEPT);
}

/** Lets a connection's requests go on that a CRM held back, once a probe has shown that it answers again. */
export async function unblock(redis: RedisClient, keys: Keys, connection: string, pools: string[]): Promise<void> {
  for (const pool of new Set(['default', ...pools])) await redis.hdel(keys.budget(connection, pool), 'blocked');
}

export interface BudgetOptions {
  connection: string;
  /** Default `live`. */
  lane?: Lane;
  /** The vendor's sizes by pool; a pool that is not named is limited only by what the CRM reports. */
  pools: Record<string, { limit: number; window: number }>;
  /** Counts requests, and never waits. */
  probing?: boolean;
  /** Epoch ms after which waiting is pointless. */
  deadline: number;
  signal: AbortSignal;
}

export class RedisBudget implements Budget {
  spent = 0;
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #options: BudgetOptions;

  constructor(redis: RedisClient, keys: Keys, options: BudgetOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#options = options;
  }

  async take(pool = 'default'): Promise<void> {
    const { connection, pools, signal } = this.#options;
    const { limit, window } = pools[pool] ?? { limit: 0, window: 0 };
    const inbound = this.#options.lane === 'inbound';
    const deadline = Math.min(this.#options.deadline, inbound ? Date.now() + INBOUND_WAIT : Number.POSITIVE_INFINITY);
    if (this.#options.probing) {
      this.spent += 1;
      return;
    }
    for (;;) {
      signal.throwIfAborted();
      const wait = await takeOne(
        this.#redis,
        [this.#keys.budget(connection, pool), this.#keys.budgetShare(connection)],
        [Date.now(), limit, window, inbound ? '1' : ''],
      );
      if (wait === 0) {
        this.spent += 1;
        return;
      }
      if (Date.now() + wait > deadline) {
        throw new Failure('throttled', `The ${pool} quota of connection ${connection} is used up for now.`, {
          retry_after: wait,
          hint: 'Nothing to do: the delivery goes on by itself when the quota is back.',
        });
      }
      await pause(wait, signal);
    }
  }

  async report(usage: Usage, pool = 'default'): Promise<void> {
    const text = (value: number | undefined) => (value === undefined ? '' : String(Math.max(0, Math.round(value))));
    await noteUsage(
      this.#redis,
      [this.#keys.budget(this.#options.connection, pool)],
      [Date.now(), text(usage.remaining), text(usage.resets_in), text(usage.blocked_for)],
    );
  }
}

/** Waits, with some spread so that processes do not all wake at once; ends early when aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', abort);
        resolve();
      },
      ms + Math.random() * 20,
    );
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}
