/** The Redis of a run: what happens to it happens one thing after the other, and each process reaches it through a proxy of its own. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../../scripts/ports.mjs';
import { type PowerCut, PowerRedis, type Tail } from '../../power/power-redis.ts';
import { buildShim } from '../../power/shim.ts';
import type { Random } from '../../support/random.ts';
import { TcpProxy } from './proxy.ts';

const SIDES = ['ingress', 'worker', 'run'] as const;
/** Who reaches Redis through a proxy of its own; `run` is what looks at it from outside, which no fault touches. */
export type Side = (typeof SIDES)[number];

export interface Replica {
  redis: PowerRedis;
  /** Between it and its primary. */
  link: TcpProxy;
}

/** Longer than anything takes on a machine that many share, ms. */
const LONGEST = 60_000;

export class RedisHost {
  readonly #folder: string;
  readonly proxies: Record<Side, TcpProxy>;
  #redis: PowerRedis;
  #replicas = 0;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, redis: PowerRedis, proxies: Record<Side, TcpProxy>) {
    this.#folder = folder;
    this.#redis = redis;
    this.proxies = proxies;
  }

  /** @param keepsAll its append-only file is never written anew, and so has all that happened */
  static async open(folder: string, keepsAll: boolean): Promise<RedisHost> {
    const args = keepsAll ? ['--auto-aof-rewrite-percentage', '0'] : [];
    const redis = await launch(join(folder, 'redis'), args);
    const opened = await Promise.all(SIDES.map(async (side) => [side, await TcpProxy.open(portOf(redis))] as const));
    return new RedisHost(folder, redis, Object.fromEntries(opened) as Record<Side, TcpProxy>);
  }

  urlFor(side: Side): string {
    return `redis://127.0.0.1:${this.proxies[side].port}`;
  }

  /** The file to which it appends what changes, and its bytes by now: another one once a replica has taken over. */
  get appending(): PowerRedis['appending'] {
    return this.#redis.appending;
  }

  restart(signal: 'SIGKILL' | 'SIGTERM', downFor: number): Promise<void> {
    return this.#alone(async () => {
      await this.#redis.end(signal);
      await pause(downFor);
      await this.#redis.start();
    });
  }

  losePower(tail: Tail, random: Random): Promise<PowerCut> {
    return this.#alone(() => this.#redis.losePower(tail, random));
  }

  /** Its disk takes nothing for so long. It ends at its first write, is started again at once, and ends again. */
  fillDisk(ms: number): Promise<void> {
    return this.#alone(async () => {
      this.#redis.fillDisk(true);
      const until = Date.now() + ms;
      while (Date.now() < until) {
        const ended = await Promise.race([this.#redis.exited.then(() => true), pause(100).then(() => false)]);
        // One that does not even start on a full disk is tried again, as by whatever restarts it.
        if (ended) await this.#redis.start().catch(() => pause(500));
      }
      this.#redis.fillDisk(false);
      await this.#redis.end('SIGKILL');
      await this.#redis.start();
    });
  }

  /** Hangs it for so long, with its connections open. */
  freeze(ms: number): Promise<void> {
    return this.#alone(async () => {
      process.kill(this.#redis.pid, 'SIGSTOP');
      await pause(ms);
      process.kill(this.#redis.pid, 'SIGCONT');
    });
  }

  /** A second server that has all that Redis has, and gets what is new through a proxy of its own. */
  async addReplica(): Promise<Replica> {
    this.#replicas += 1;
    const args = ['--repl-diskless-sync-delay', '0'];
    const redis = await launch(join(this.#folder, `replica-${this.#replicas}`), args);
    const link = await TcpProxy.open(portOf(this.#redis));
    await ask(redis.url, 'REPLICAOF', '127.0.0.1', String(link.port));
    return { redis, link };
  }

  /**
   * A replica takes over for good.
   * @param how `orderly`: the primary waits until the replica has all. Else the primary is cut off from the replica for so
   * many ms, goes on taking calls, and is gone then; with `min_replicas` it takes writes only while a replica answers
   */
  failOver({ redis, link }: Replica, how: 'orderly' | { behind: number; min_replicas: boolean }): Promise<void> {
    return this.#alone(async () => {
      const old = this.#redis;
      // Another one may have taken over since.
      if (link.target !== portOf(old)) {
        link.target = portOf(old);
        link.cut();
      }
      await untilSays(redis.url, /master_link_status:up/);
      if (how === 'orderly') {
        await ask(old.url, 'FAILOVER');
        await untilSays(redis.url, /role:master/);
      } else {
        if (how.min_replicas) {
          await ask(old.url, 'CONFIG', 'SET', 'min-replicas-max-lag', '1');
          await ask(old.url, 'CONFIG', 'SET', 'min-replicas-to-write', '1');
        }
        link.hold('requests');
        link.hold('answers');
        await pause(how.behind);
      }
      await old.end('SIGKILL');
      await link.close();
      await ask(redis.url, 'REPLICAOF', 'NO', 'ONE');
      this.#redis = redis;
      for (const proxy of Object.values(this.proxies)) {
        proxy.target = portOf(redis);
        proxy.cut();
      }
    });
  }

  /** Asks it something on a connection of its own, again while it is away. */
  async command(...words: [string, ...string[]]): Promise<unknown> {
    const until = Date.now() + LONGEST;
    for (;;) {
      try {
        return await ask(this.#redis.url, ...words);
      } catch (error) {
        if (Date.now() > until) throw error;
        await pause(100);
      }
    }
  }

  /** All is well again with it, and with the ways to it. */
  async heal(how: 'late' | 'broken' = 'late'): Promise<void> {
    await this.#busy;
    for (const proxy of Object.values(this.proxies)) proxy.release(how);
    await this.command('CONFIG', 'SET', 'maxmemory', '0');
  }

  async close(): Promise<void> {
    await this.#busy.catch(() => {});
    await this.#redis.end('SIGKILL');
    await Promise.all(Object.values(this.proxies).map((proxy) => proxy.close()));
  }

  async #alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(act);
    this.#busy = done.catch(() => {});
    return done;
  }
}

async function launch(dir: string, args: string[] = []): Promise<PowerRedis> {
  const shim = buildShim();
  return PowerRedis.open({ dir, args, port: await freePort(), ...(typeof shim === 'string' && { shim }) });
}

function portOf(redis: PowerRedis): number {
  return Number(new URL(redis.url).port);
}

async function ask(url: string, ...words: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(url, { retryStrategy: null, connectTimeout: LONGEST });
  client.on('error', () => {});
  try {
    return await client.call(...words);
  } finally {
    client.disconnect();
  }
}

async function untilSays(url: string, what: RegExp): Promise<void> {
  const until = Date.now() + LONGEST;
  while (!what.test(String(await ask(url, 'INFO', 'replication')))) {
    if (Date.now() > until) throw new Error(`Redis at ${url} does not say ${what}`);
    await pause(50);
  }
}
