/**
 * How many webhooks a second one ingress process answers, beside two others in the same run: as little as node:http
 * allows with the same promise, and the usual Express application. Each has the same Redis, synced on every write.
 *
 * Rounds are interleaved, so that what else happens on the machine falls on all alike; ratios are taken within a round,
 * and their median is what counts.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../scripts/local-redis.mjs';
import { type Process, startProcess, startScript } from '../../test/support/process.ts';
import { cpuSeconds } from '../../test/support/process-time.ts';
import type { LoadFigures, LoadOptions } from '../support/load.ts';
import { median } from '../support/statistics.ts';

export const SERVERS = ['wrapup', 'bare', 'express'] as const;
export type Server = (typeof SERVERS)[number];

/** Bytes of a body, with the requests of a round. */
export const SIZES = [
  { kb: 2, count: 6_000 },
  { kb: 8, count: 6_000 },
  { kb: 60, count: 1_000 },
];
/** That each wait for their answer: a little company, and the rush of a campaign. */
const CONNECTIONS = [16, 64];
const WARM_UP = 3_000;
const SECRET = 'a-webhook-secret-for-measuring';

export interface IngressFigures {
  connections: number;
  kb: number;
  rounds: number;
  count: number;
  /** Medians over the rounds. */
  of: Record<Server, { rps: number; p50: number; p99: number; cpu: number; redisCpu: number }>;
  /** Medians of the ratios within each round, requests a second. */
  toBare: number;
  toExpress: number;
  /** The same by the CPU of the server's process: theirs to ours. */
  cpuToBare: number;
  cpuToExpress: number;
}

interface Round extends LoadFigures {
  rps: number;
  /** CPU µs a request, of the server and of Redis. */
  cpu: number;
  redisCpu: number;
}

/** @param rounds of every size and number of connections */
export async function measureIngress(rounds: number, sizes = SIZES): Promise<IngressFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  const redis = await startRedisServer({
    dir: join(folder, 'redis'),
    appendonly: true,
    args: ['--auto-aof-rewrite-percentage', '0'],
  });
  const client = new Redis(redis.url);
  const servers = await start(folder, redis.url);
  try {
    for (const name of SERVERS) await post(servers[name], { bytes: 8 * 1024, count: WARM_UP, connections: 16 });
    const figures: IngressFigures[] = [];
    for (const { kb, count, connections } of sizes.flatMap((size) =>
      CONNECTIONS.map((n) => ({ ...size, connections: n })),
    )) {
      const all: Record<Server, Round>[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const these = {} as Record<Server, Round>;
        // The first after a pause has a disadvantage, so each is the first in turn.
        for (const name of rotate(SERVERS, round)) {
          await client.flushall();
          these[name] = await measure(servers[name], redis, { bytes: kb * 1024, count, connections });
        }
        all.push(these);
      }
      figures.push({ kb, connections, count, ...summarise(all) });
    }
    return figures;
  } finally {
    client.disconnect();
    await Promise.all(Object.values(servers).map((server) => server.kill()));
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function start(folder: string, url: string): Promise<Record<Server, Process>> {
  writeFileSync(
    join(folder, 'wrapup.yaml'),
    `sources:
  main: { provider: synthflow, region: us, webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"] }
connections:
  sales: { kind: hubspot, access_token: unused }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
`,
  );
  writeFileSync(join(folder, 'mapping.yaml'), 'extends: hubspot/call-log\n');
  const env = (prefix: string) => ({ REDIS_URL: url, WRAPUP_PREFIX: prefix, SYNTHFLOW_WEBHOOK_SECRET: SECRET });
  const wrapup = await startProcess('ingress', { ...env('wrapup'), WRAPUP_CONFIG: join(folder, 'wrapup.yaml') });
  const bare = await startScript('bench/baseline/ingress-bare.ts', env('bare'));
  const express = await startScript('bench/baseline/ingress-express.ts', env('express'));
  return { wrapup, bare, express };
}

type Load = Pick<LoadOptions, 'bytes' | 'count' | 'connections'>;

async function measure(server: Process, redis: RedisServer, load: Load): Promise<Round> {
  const { count } = load;
  const before = { cpu: cpuSeconds(server.pid), redis: cpuSeconds(redis.pid) };
  const figures = await post(server, load);
  const accepted = figures.statuses['202'] ?? 0;
  // A machine that others use may keep a server waiting for longer than a sender is made to wait.
  if (accepted < count * 0.5)
    throw new Error(`answers were ${JSON.stringify(figures.statuses)}, not ${count} times 202`);
  const each = (from: number, to: number) => ((to - from) / count) * 1e6;
  return {
    ...figures,
    rps: accepted / figures.seconds,
    cpu: each(before.cpu, cpuSeconds(server.pid)),
    redisCpu: each(before.redis, cpuSeconds(redis.pid)),
  };
}

async function post(server: Process, load: Load): Promise<LoadFigures> {
  const options: LoadOptions = {
    port: server.port,
    path: '/webhooks/main/post-call',
    secret: SECRET,
    ...load,
  };
  const run = await promisify(execFile)(process.execPath, ['bench/support/load.ts', JSON.stringify(options)], {
    timeout: 120_000,
  });
  return JSON.parse(run.stdout) as LoadFigures;
}

function summarise(rounds: Record<Server, Round>[]): Omit<IngressFigures, 'kb' | 'connections' | 'count'> {
  const middle = (of: (round: Record<Server, Round>) => number) => median(rounds.map(of));
  const figuresOf = (name: Server) => ({
    rps: middle((round) => round[name].rps),
    p50: middle((round) => round[name].p50),
    p99: middle((round) => round[name].p99),
    cpu: middle((round) => round[name].cpu),
    redisCpu: middle((round) => round[name].redisCpu),
  });
  return {
    rounds: rounds.length,
    of: { wrapup: figuresOf('wrapup'), bare: figuresOf('bare'), express: figuresOf('express') },
    toBare: middle((round) => round.wrapup.rps / round.bare.rps),
    toExpress: middle((round) => round.wrapup.rps / round.express.rps),
    cpuToBare: middle((round) => round.bare.cpu / round.wrapup.cpu),
    cpuToExpress: middle((round) => round.express.cpu / round.wrapup.cpu),
  };
}

function rotate<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length] as T);
}
