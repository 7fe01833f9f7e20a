import { bindLog, type Context, type Log, type Priority } from '@wrapup/destination';
import type { InstallationParts } from '../redis/check-installation.ts';
import { RedisLease } from '../redis/lease.ts';
import { type BudgetOptions, RedisBudget } from './budget.ts';
import { RedisMemory } from './memory.ts';
import { makeSecrets } from './secrets.ts';

interface ContextOptions {
  connection: string;
  /** `retention.ledger` of its client. Default 90. */
  ledger_days?: number;
  pools?: BudgetOptions['pools'];
  /** Part of every quota that is left to other programs. */
  reserve?: number;
  priority: Priority;
  /** Takes from the budget without waiting for it: what a probe finds out is whether the CRM answers again. */
  probing?: boolean;
  /** Milliseconds from now until the whole call must have answered. */
  within: number;
  signal: AbortSignal;
  log: Log;
  /** Called once for each request. */
  count?: Context['count'];
}

/** Makes what an adapter may ask for, on Redis, for one call of it. */
export function makeContext(base: InstallationParts, options: ContextOptions): Context {
  const { redis, keys, indexKey } = base;
  const { connection, ledger_days, pools = {}, reserve = 0, priority, within, log, probing = false } = options;
  const deadline = Date.now() + within;
  const lease = new RedisLease(redis, keys);
  return {
    signal: options.signal,
    deadline,
    priority,
    budget: new RedisBudget(redis, keys, {
      connection,
      pools,
      reserve,
      priority,
      deadline,
      probing,
      signal: options.signal,
    }),
    memory: new RedisMemory(base, connection, ledger_days),
    // One person's lease counts per connection: the same number may be written to two CRMs at once. Adapters make names
    // of numbers and addresses, so Redis gets digests of them.
    lease: {
      async take(names, ttl) {
        const digest = await indexKey.load();
        return lease.take(
          names.map((name) => `${connection}:${digest('lease', name)}`),
          ttl,
        );
      },
    },
    secrets: makeSecrets(base, connection),
    log: bindLog(log, { connection }),
    count: options.count,
  };
}
