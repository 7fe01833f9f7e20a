/**
 * The context without Redis: for tests, and for commands that look at one CRM account once. What several processes
 * would share lives in a `MemoryCommons`; each call of a destination gets a context of its own on it, as with Redis.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type {
  Budget,
  Context,
  Held,
  Lease,
  Log,
  Memory,
  Priority,
  QuotaUsage,
  Secret,
  Secrets,
} from '../port/context.ts';
import { Failure } from '../port/failure.ts';

export interface MemoryCommons {
  memory: Memory;
  lease: Lease;
  secrets: Secrets;
  /** A budget that counts its own requests and shares its windows with the others of this commons. */
  budget(deadline: number, signal: AbortSignal): Budget;
}

/** Requests that a pool may send per window, in ms. A pool that is not named is limited only by what the CRM reports. */
export type Pools = Record<string, { limit: number; window: number }>;

export function makeMemoryCommons(pools: Pools = {}): MemoryCommons {
  const windows = new Map<string, Window>();
  return {
    memory: new InMemory(),
    lease: new InMemoryLease(),
    secrets: new InMemorySecrets(),
    budget: (deadline, signal) => new InMemoryBudget(windows, pools, deadline, signal),
  };
}

export interface MemoryContextOptions {
  /** Milliseconds from now until the whole call must have answered; default 30,000. */
  within?: number;
  priority?: Priority;
  signal?: AbortSignal;
  /** In place of those of the commons: tokens that are shared with the workers although nothing else is. */
  secrets?: Secrets;
  /** In place of that of the commons. */
  memory?: Memory;
  /** Default: says nothing. */
  log?: Log;
  observe?: Context['observe'];
}

/** A context on `commons`, for one call of a destination. */
export function makeMemoryContext(
  commons: MemoryCommons = makeMemoryCommons(),
  options: MemoryContextOptions = {},
): Context {
  const deadline = Date.now() + (options.within ?? 30_000);
  const signal = options.signal ?? new AbortController().signal;
  return {
    signal,
    deadline,
    priority: options.priority ?? 'live',
    budget: commons.budget(deadline, signal),
    memory: options.memory ?? commons.memory,
    lease: commons.lease,
    secrets: options.secrets ?? commons.secrets,
    log: options.log ?? silent,
    observe: options.observe,
  };
}

const nothing = () => {};
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

class InMemory implements Memory {
  readonly #kept = new Map<string, { value: string; ends: number }>();
  readonly #digestKey = randomUUID();

  async get(key: string): Promise<string | undefined> {
    const entry = this.#kept.get(key);
    if (entry && entry.ends <= Date.now()) this.#kept.delete(key);
    return this.#kept.get(key)?.value;
  }

  async set(key: string, value: string, ttl: number | 'ledger'): Promise<void> {
    this.#kept.set(key, { value, ends: ttl === 'ledger' ? Number.POSITIVE_INFINITY : Date.now() + ttl });
  }

  async delete(key: string): Promise<void> {
    this.#kept.delete(key);
  }

  async digester(): Promise<(value: string) => string> {
    return (value) => createHmac('sha256', this.#digestKey).update(value).digest('base64url');
  }
}

class InMemoryLease implements Lease {
  readonly #held = new Map<string, { owner: string; ends: number }>();

  async take(keys: string[], ttl: number): Promise<Held | undefined> {
    const now = Date.now();
    if (keys.some((key) => (this.#held.get(key)?.ends ?? 0) > now)) return undefined;
    const owner = randomUUID();
    for (const key of keys) this.#held.set(key, { owner, ends: now + ttl });
    return {
      release: async () => {
        for (const key of keys) if (this.#held.get(key)?.owner === owner) this.#held.delete(key);
      },
    };
  }
}

/** A secret is renewed this long before its end. */
const EARLY_MS = 60_000;

class InMemorySecrets implements Secrets {
  readonly encrypted = true;
  readonly #kept = new Map<string, Secret>();
  readonly #refreshing = new Map<string, Promise<Secret>>();

  async get(name: string, refresh: () => Promise<Secret>): Promise<string> {
    const known = this.#kept.get(name);
    if (known && known.expires_at - EARLY_MS > Date.now()) return known.value;
    const running = this.#refreshing.get(name) ?? refresh();
    this.#refreshing.set(name, running);
    try {
      const fresh = await running;
      this.#kept.set(name, fresh);
      return fresh.value;
    } finally {
      this.#refreshing.delete(name);
    }
  }

  async read(name: string): Promise<string | undefined> {
    const known = this.#kept.get(name);
    return known && known.expires_at > Date.now() ? known.value : undefined;
  }

  async keep(name: string, secret: Secret): Promise<void> {
    this.#kept.set(name, secret);
  }

  async drop(name: string): Promise<void> {
    this.#kept.delete(name);
  }
}

interface Window {
  left: number;
  ends: number;
  blocked: number;
}

class InMemoryBudget implements Budget {
  spent = 0;
  readonly #windows: Map<string, Window>;
  readonly #pools: Pools;
  readonly #deadline: number;
  readonly #signal: AbortSignal;

  constructor(windows: Map<string, Window>, pools: Pools, deadline: number, signal: AbortSignal) {
    this.#windows = windows;
    this.#pools = pools;
    this.#deadline = deadline;
    this.#signal = signal;
  }

  async take(pool = 'default'): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      const wait = this.#tryTake(pool);
      if (wait === 0) {
        this.spent += 1;
        return;
      }
      if (Date.now() + wait > this.#deadline)
        throw new Failure('throttled', `The ${pool} quota is used up for now.`, { retry_after: wait });
      await pause(wait, this.#signal);
    }
  }

  async report(usage: QuotaUsage, pool = 'default'): Promise<void> {
    const now = Date.now();
    const window = this.#window(pool);
    if (usage.blocked_for !== undefined) window.blocked = Math.max(window.blocked, now + usage.blocked_for);
    if (usage.remaining === undefined) return;
    if (window.ends <= now) window.ends = now + (usage.resets_in ?? 1000);
    // What is known within a window is never raised: answers may arrive in another order than they were counted.
    window.left = Math.min(window.left, usage.remaining);
  }

  #window(pool: string): Window {
    const known = this.#windows.get(pool);
    if (known) {
      if (known.ends <= Date.now()) known.left = Number.POSITIVE_INFINITY;
      return known;
    }
    const fresh = { left: Number.POSITIVE_INFINITY, ends: 0, blocked: 0 };
    this.#windows.set(pool, fresh);
    return fresh;
  }

  /** Milliseconds to wait, or 0 when one was taken. */
  #tryTake(pool: string): number {
    const now = Date.now();
    const size = this.#pools[pool];
    const window = this.#window(pool);
    if (window.blocked > now) return window.blocked - now;
    if (window.ends <= now && size) {
      window.left = size.limit;
      window.ends = now + size.window;
    }
    if (window.left <= 0) return Math.max(1, window.ends - now);
    window.left -= 1;
    return 0;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
