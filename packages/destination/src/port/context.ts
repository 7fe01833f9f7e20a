/**
 * What an adapter may ask for. The interfaces live here; `packages/queue` holds the versions on Redis, shared by all
 * processes, and `memory-context.ts` the ones for tests and for commands that run without Redis.
 */

import type { FailureCode } from './failure.ts';

/** Who is asking the CRM: quota is given in this order, and a share is kept for `inbound`. */
export const PRIORITIES = ['inbound', 'live', 'replay', 'reconcile', 'backfill'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What the CRM said about its own limits, after a request. Absent fields leave what is known as it was. */
export interface QuotaUsage {
  /** Requests left in the short window, and how long that window still lasts, in ms. */
  remaining?: number;
  resets_in?: number;
  /** Requests that the short window allows. */
  limit?: number;
  daily_remaining?: number;
  daily_limit?: number;
  /** Nothing may be sent to this pool for so many ms (429, 423, 477, Retry-After). */
  blocked_for?: number;
}

/** One budget per connection, shared by all processes. Pools are counted apart: HubSpot limits `search` on its own. */
export interface Budget {
  /**
   * Waits until one request may be sent. Rejects with a `throttled` failure when that would be after the context's
   * deadline: nothing was sent then, and the wait burns no attempt.
   */
  take(pool?: string): Promise<void>;
  report(usage: QuotaUsage, pool?: string): Promise<void>;
  /** Requests taken through this context since it was made. */
  readonly spent: number;
}

/** Ids worth remembering for a while: a phone's contact while the CRM's search index lags, a schema. Never the truth. */
export interface Memory {
  get(key: string): Promise<string | undefined>;
  /** @param ttl milliseconds, or as long as the ledger keeps calls (`retention.ledger`) */
  set(key: string, value: string, ttl: number | 'ledger'): Promise<void>;
  delete(key: string): Promise<void>;
  /** Gives what makes digests of values by the installation's own key: equal ones of equal values, and nothing to guess them by. */
  digester(): Promise<(value: string) => string>;
}

/** What the names in memory begin with of notes on what was written to records: a preview has to know them. */
export const WRITTEN_NOTES = { fields: 'written:', watermark: 'watermark:' } as const;

/** Leases save requests and keep two workers off one person; correctness comes from unique keys, not from them. */
export interface Lease {
  /**
   * Takes all keys or none, at once.
   * @param ttl milliseconds after which they fall free by themselves
   * @returns undefined when another holder has one of them
   */
  take(keys: string[], ttl: number): Promise<Held | undefined>;
}
export interface Held {
  release(): Promise<void>;
}

/** A value with an end, such as an access token, shared across processes. */
export interface Secret {
  value: string;
  /** Epoch ms. */
  expires_at: number;
}
export interface Secrets {
  /** Whether they are encrypted where they are kept (`WRAPUP_ENCRYPTION_KEY`). */
  readonly encrypted: boolean;
  /** The current secret of that name; when missing or near its end `refresh` runs once across all processes. */
  get(name: string, refresh: () => Promise<Secret>): Promise<string>;
  /** The secret as it was last kept; undefined when there is none or its end has come. */
  read(name: string): Promise<string | undefined>;
  /** Keeps one that the CRM gave in passing, such as a refresh token that replaces the one just used. */
  keep(name: string, secret: Secret): Promise<void>;
  /** Forgets it, after the CRM refused it. */
  drop(name: string): Promise<void>;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One exchange with the CRM, as it went over the wire: holds tokens and personal data. */
export interface ObservedExchange {
  request: { method: string; url: string; body?: string | Buffer | undefined };
  /** Names of headers in lower case. */
  answer: { status: number; headers: Record<string, string>; text: string };
}

/** One request of an adapter, as metrics and logs have it: nothing of what it says. */
export interface RequestReport {
  /** What it does: `create 3 calls`. */
  name: string;
  /** `ok`, or the code of the failure that it came to. */
  result: 'ok' | FailureCode;
  /** Ms that it waited for its share of the quota. */
  waited: number;
  /** Ms until the whole answer, or until it was given up; absent where it was not sent. */
  took?: number;
  /** Of the answer, where one came. */
  status?: number;
  /** Ms that the CRM asks to wait, where it says so. */
  retry_after?: number;
}

export interface Context {
  /** Aborted when the work is no longer wanted: shutdown, lost lock. */
  signal: AbortSignal;
  /** Epoch ms by which the whole call must have answered. */
  deadline: number;
  priority: Priority;
  budget: Budget;
  memory: Memory;
  lease: Lease;
  secrets: Secrets;
  log: Log;
  /** Called with each exchange that had an answer: for writing down what a CRM says. */
  observe?: ((exchange: ObservedExchange) => void) | undefined;
  /** Called once for each request. */
  count?: ((request: RequestReport) => void) | undefined;
  /** Keys of the calls (`<source>:<call id>`) that the work is for, for logs. */
  calls?: readonly string[] | undefined;
}

/**
 * A value that is read once and remembered for a while, as JSON.
 * @param ttl milliseconds
 * @param fresh reads it whatever is remembered
 * @throws what memory or `read` throws
 */
export async function remembered<Value>(
  { memory }: Pick<Context, 'memory'>,
  name: string,
  ttl: number,
  read: () => Promise<Value>,
  fresh = false,
): Promise<Value> {
  const kept = fresh ? undefined : await memory.get(name);
  if (kept !== undefined) return JSON.parse(kept) as Value;
  const value = await read();
  await memory.set(name, JSON.stringify(value), ttl);
  return value;
}

/** A log whose lines have the fields, too. */
export function bindLog(log: Log, fields: object): Log {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}
