/** A Redis cluster of three masters and one replica, on this machine, with a master to lose. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { type RedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { freePort } from '../../scripts/ports.mjs';
import { PATIENCE } from './patience.ts';

const SLOTS = 16_384;
const MASTERS = 3;
/** Ms after which a master that does not answer counts as lost. */
const NODE_TIMEOUT = 1_500;

export interface RedisCluster {
  /** What REDIS_URL would be: all nodes. */
  url: string;
  /** Waits until the replica has everything that the master of `key` has, and kills that master. */
  loseMaster(): Promise<void>;
  stop(): Promise<void>;
}

/** @param key a key of the slot whose master has a replica */
export async function startCluster(key: string): Promise<RedisCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-cluster-'));
  const servers: RedisServer[] = [];
  const clients: Redis[] = [];
  const buses: number[] = [];
  for (let index = 0; index <= MASTERS; index += 1) {
    const bus = await freePort();
    const server = await startRedisServer({
      dir: join(folder, String(index)),
      server: inject('redisServer'),
      timeout: PATIENCE,
      args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT), '--cluster-port', String(bus)],
    });
    servers.push(server);
    buses.push(bus);
    clients.push(new Redis(server.url).on('error', () => {}));
  }
  const call = (index: number, ...args: (string | number)[]) =>
    clients[index]?.call('CLUSTER', ...args) as Promise<string>;
  const share = Math.ceil(SLOTS / MASTERS);
  for (let index = 0; index < MASTERS; index += 1) {
    await call(index, 'ADDSLOTSRANGE', index * share, Math.min(SLOTS, (index + 1) * share) - 1);
  }
  for (let index = 1; index <= MASTERS; index += 1) {
    await call(index, 'MEET', '127.0.0.1', servers[0]?.port ?? 0, buses[0] ?? 0);
  }
  const owner = Math.floor(Number(await call(0, 'KEYSLOT', key)) / share);
  const replica = MASTERS;
  const settled = async (index: number, pattern: RegExp) => {
    while (!pattern.test(await call(index, 'INFO'))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const all = Array.from({ length: MASTERS + 1 }, (_, index) => index);
  await Promise.all(all.map((index) => settled(index, /cluster_known_nodes:4/)));
  await call(replica, 'REPLICATE', await call(owner, 'MYID'));
  await Promise.all(all.map((index) => settled(index, /cluster_state:ok/)));
  const master = clients[owner] as Redis;
  while (Number(/connected_slaves:(\d+)/.exec(await master.info('replication'))?.[1]) !== 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  return {
    url: servers.map(({ url }) => url).join(','),
    async loseMaster() {
      // Replication is asynchronous: the rest of what was written a moment ago would be lost with the machine.
      const count = async () => /master_repl_offset:(\d+)/.exec(await master.info('replication'))?.[1];
      const replicated = async () =>
        /slave_repl_offset:(\d+)/.exec((await clients[replica]?.info('replication')) ?? '')?.[1];
      while ((await count()) !== (await replicated())) await new Promise((resolve) => setTimeout(resolve, 5));
      process.kill(servers[owner]?.pid ?? 0, 'SIGKILL');
      await servers[owner]?.exited;
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await Promise.all(
        servers.map(async ({ pid, exited }) => {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It was lost before.
          }
          await exited;
        }),
      );
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
