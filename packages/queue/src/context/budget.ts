/**
 * Quota: one budget per connection and pool, shared by all processes (`budget-scripts.ts`).
 *
 * Priorities go in their order: while a request of a higher priority waits, none of a lower one is sent. All but live and
 * inbound calls leave a tenth of the window free, so that a live call finds room in the middle of a backfill. While inbound
 * calls are answered from a connection (`keepShare`), another tenth is left to them: a caller on the phone cannot wait for
 * a batch. And a part (`quota.reserve`) is left to the customer's other programs by all.
 */
import { randomUUID } from 'node:crypto';
import { type Budget, Failure, PRIORITIES, type Priority, type QuotaUsage } from '@wrapup/destination';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { MAX_TAKEN, noteUsage, takeSome } from './budget-scripts.ts';

/** Longest wait of an inbound call for quota: the phone is ringing. */
const MAX_INBOUND_WAIT_MS = 200;
/** Longest wait of a batch of replays, reconciled calls or backfills: it goes back to the queue, and others come in. */
const MAX_BULK_WAIT_MS = 2_000;
/** How long a share stays kept for inbound calls after `keepShare`. */
const SHARE_KEPT_MS = 3 * 60_000;
/** How long what the CRM said of its daily quota is believed while nothing is sent. */
const DAILY_BELIEVED_MS = 15 * 60_000;

/** Keeps a share of a connection's quota for the priority `inbound`, for three minutes: call it again before they are over. */
export async function keepShare(redis: RedisClient, keys: Keys, connection: string): Promise<void> {
  await redis.set(keys.budgetShare(connection), '1', 'PX', SHARE_KEPT_MS);
}

/** Lets a connection's requests go on that a CRM held back, once a probe has shown that it answers again. */
export async function unblock(redis: RedisClient, keys: Keys, connection: string, pools: string[]): Promise<void> {
  for (const pool of new Set(['default', ...pools])) await redis.hdel(keys.budget(connection, pool), 'blocked');
}

export interface BudgetOptions {
  connection: string;
  /** Default `live`. */
  priority?: Priority;
  /** The vendor's sizes by pool; a pool that is not named is limited only by what the CRM reports. */
  pools: Record<string, { limit: number; window: number }>;
  /** Part of every quota that is left to others, from 0 to 0.9. Default 0. */
  reserve?: number;
  /** Counts requests, and never waits. */
  probing?: boolean;
  /** Epoch ms after which waiting is pointless. */
  deadline: number;
  signal: AbortSignal;
}

/** A request that asks for its share. */
interface Asking {
  resolve(wait: number): void;
  reject(error: unknown): void;
}

export class RedisBudget implements Budget {
  spent = 0;
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #options: BudgetOptions;
  readonly #rank: number;
  /** How long this priority may wait for quota. */
  readonly #maxWaitMs: number;
  /** Requests that ask in this turn, by pool: they are answered by one command. */
  readonly #asking = new Map<string, Asking[]>();

  constructor(redis: RedisClient, keys: Keys, options: BudgetOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#options = options;
    const priority = options.priority ?? 'live';
    this.#rank = PRIORITIES.indexOf(priority);
    this.#maxWaitMs =
      priority === 'inbound' ? MAX_INBOUND_WAIT_MS : priority === 'live' ? Number.POSITIVE_INFINITY : MAX_BULK_WAIT_MS;
  }

  async take(pool = 'default'): Promise<void> {
    const { connection, reserve = 0, probing, signal } = this.#options;
    if (probing) {
      this.spent += 1;
      return;
    }
    const deadline = Math.min(this.#options.deadline, Date.now() + this.#maxWaitMs);
    for (;;) {
      signal.throwIfAborted();
      const wait = await this.#ask(pool);
      if (wait === 0) {
        this.spent += 1;
        return;
      }
      if (wait < 0) throw dailyReserve(connection, -wait, reserve);
      if (Date.now() + wait > deadline) {
        throw new Failure('throttled', `The ${pool} quota of connection ${connection} is used up for now.`, {
          retry_after: wait,
          hint: 'Nothing to do: the delivery goes on by itself when the quota is back.',
        });
      }
      await pause(wait, signal);
    }
  }

  /** @returns 0 when one was taken, ms to wait, or minus ms when it is the daily quota that is waited for */
  #ask(pool: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const asking = this.#asking.get(pool);
    if (asking && asking.length < MAX_TAKEN) {
      asking.push({ resolve, reject });
      return promise;
    }
    const all: Asking[] = [{ resolve, reject }];
    this.#asking.set(pool, all);
    queueMicrotask(() => {
      if (this.#asking.get(pool) === all) this.#asking.delete(pool);
      this.#takeFor(pool, all).catch((error) => {
        for (const one of all) one.reject(error);
      });
    });
    return promise;
  }

  /** The first of them get theirs, the others learn how long to wait. */
  async #takeFor(pool: string, all: Asking[]): Promise<void> {
    const { connection, pools, reserve = 0 } = this.#options;
    const { limit, window } = pools[pool] ?? { limit: 0, window: 0 };
    for (let open = all; open.length > 0; ) {
      const [taken, wait] = await takeSome(
        this.#redis,
        [
          this.#keys.budgetLog(connection, pool),
          this.#keys.budget(connection, pool),
          this.#keys.budgetShare(connection),
          this.#keys.daily(connection),
        ],
        [Date.now(), limit, window, this.#rank, reserve, randomUUID(), DAILY_BELIEVED_MS, open.length],
      );
      if (taken === 0) for (const one of open) one.resolve(wait);
      for (const one of open.slice(0, taken)) one.resolve(0);
      open = taken === 0 ? [] : open.slice(taken);
    }
  }

  async report(usage: QuotaUsage, pool = 'default'): Promise<void> {
    const { connection, pools } = this.#options;
    const text = (value: number | undefined) => (value === undefined ? '' : String(Math.max(0, Math.round(value))));
    await noteUsage(
      this.#redis,
      [
        this.#keys.budgetLog(connection, pool),
        this.#keys.budget(connection, pool),
        this.#keys.daily(connection),
        this.#keys.dailySamples(connection),
      ],
      [
        Date.now(),
        text(usage.remaining),
        text(usage.resets_in),
        text(usage.limit),
        text(usage.blocked_for),
        text(usage.daily_remaining),
        text(usage.daily_limit),
        pools[pool]?.limit ?? 0,
      ],
    );
  }
}

/** Nothing was refused by the CRM, so the circuit stays closed: only our own part of the day is used up. */
function dailyReserve(connection: string, wait: number, reserve: number): Failure {
  const percent = Math.round(reserve * 100);
  return new Failure('throttled', `Of the daily quota of connection ${connection} only the reserve is left.`, {
    retry_after: wait,
    hint: `${percent} % of it are kept for other programs, twice that from replays and backfills: wait for the next day, or lower quota.reserve.`,
  });
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
