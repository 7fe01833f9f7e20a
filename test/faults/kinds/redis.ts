/** Redis dies, hangs, is full, loses power, is taken over by its replica. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../support/random.ts';
import type { RedisHost } from '../rigging/redis-host.ts';
import { atMoments, type Fault, reconcile } from './scene.ts';

/** A replica that was there from the beginning takes over while calls come. */
function failOver(how: (random: Random) => Parameters<RedisHost['failOver']>[1]): Fault['act'] {
  return async ({ system, random, until }) => {
    const replica = await system.redis.addReplica();
    await until(0.2 + random() * 0.4);
    await system.redis.failOver(replica, how(random));
  };
}

export const REDIS_FAULTS: Fault[] = [
  {
    name: 'redis-killed',
    what: 'Redis is killed (SIGKILL), is away for up to a second, and comes back with its data',
    act: atMoments(2, ({ system, random }) => system.redis.restart('SIGKILL', random() * 1_000)),
  },
  {
    name: 'redis-restarted',
    what: 'Redis is restarted in an orderly way',
    act: atMoments(2, ({ system }) => system.redis.restart('SIGTERM', 0)),
  },
  {
    name: 'redis-paused',
    what: 'Redis hangs for up to four seconds with its connections open',
    act: atMoments(2, async ({ system, random }) => {
      await system.redis.freeze(500 + random() * 3_500);
    }),
  },
  {
    name: 'redis-cut-off',
    what: 'All connections to Redis are cut, five times',
    act: atMoments(5, async ({ system }) => {
      await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }),
  },
  {
    name: 'redis-full',
    what: 'Redis reaches its memory limit for two seconds: writes are refused',
    act: atMoments(2, async ({ system }) => {
      const memory = String(await system.redis.command('INFO', 'memory'));
      const used = Number(/used_memory:(\d+)/.exec(memory)?.[1]);
      await system.redis.command('CONFIG', 'SET', 'maxmemory', String(used - 1));
      await pause(2_000);
      await system.redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }),
  },
  {
    name: 'redis-power-loss',
    what: 'Redis loses power three times: what it has not synced is gone',
    needsPower: true,
    act: atMoments(3, async ({ system, random }) => {
      await system.redis.losePower('gone', random);
    }),
  },
  {
    name: 'redis-power-loss-torn',
    what: 'Redis loses power three times: of what it has not synced a part is there, or zeros',
    needsPower: true,
    act: atMoments(3, async ({ system, random }, nth) => {
      await system.redis.losePower(nth % 2 === 0 ? 'torn' : 'zeroed', random);
    }),
  },
  {
    name: 'redis-disk-full',
    what: 'The disk of Redis is full for three seconds: it ends at its first write, is started again, and ends again',
    needsPower: true,
    act: atMoments(1, ({ system }) => system.redis.fillDisk(3_000)),
  },
  {
    name: 'redis-failover',
    what: 'A replica takes over in an orderly way (`FAILOVER`), and the primary is gone',
    act: failOver(() => 'orderly'),
  },
  {
    name: 'redis-failover-behind',
    what: 'The primary is cut off from its replica, takes calls for up to two seconds more, and is gone; the replica takes over without them, and reconciliation fetches them',
    setup: { voice: true },
    act: failOver((random) => ({ behind: 500 + random() * 1_500, min_replicas: false })),
    afterwards: reconcile,
  },
  {
    name: 'redis-failover-min-replicas',
    what: 'The same for five seconds, with `min-replicas-to-write 1` and `min-replicas-max-lag 1`: after three seconds at most no call is taken any more',
    setup: { voice: true },
    act: failOver(() => ({ behind: 5_000, min_replicas: true })),
    afterwards: reconcile,
  },
];
