/**
 * What it takes to drain a backlog: so many calls wait in Redis, then one worker starts and delivers them. CPU of the worker and
 * of Redis a call, commands a call, and whether time and memory stay the same until the last one; to an endpoint and to HubSpot,
 * which both answer at once.
 *
 * The first tenth of the calls warms the worker up and is left out of the figures of a row.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { MAINTENANCE_QUEUE } from '../../packages/queue/src/index.ts';
import { makeConfig } from '../../test/support/config.ts';
import { phoneOf } from '../../test/support/phone.ts';
import { cpuSeconds, residentBytes } from '../../test/support/process-time.ts';
import { type Installation, type InstallationOptions, openInstallation } from '../installation.ts';
import { makeCall } from '../support/calls.ts';
import { comesTrue } from '../support/watch.ts';

export interface DrainFigures {
  rows: DrainRow[];
  /** Of the backlog to the endpoint, a tenth each. */
  tenths: Drained[];
}

export interface DrainRow extends Drained {
  to: Target;
  calls: number;
  /** Commands that the worker sends to Redis for one call. */
  commands: number;
}

interface Drained {
  /** ms of the clock a call. */
  msPerCall: number;
  /** ms of CPU a call. */
  worker: number;
  redis: number;
  /** MiB of the worker, the most that was seen. */
  memory: number;
}

export type Target = 'endpoint' | 'hubspot';

/** Calls of which every command is looked at. */
const WATCHED = 200;
const TENTHS = 10;
const LOOK_EVERY_MS = 100;
/** Calls that are kept at once. */
const AT_ONCE = 32;
/** As in docker-compose.yml. */
const WORKER_ENV = { NODE_OPTIONS: '--max-semi-space-size=16' };
const TO_ENDPOINT = makeConfig({
  connections: ['events: { kind: http, url: "${ENDPOINT}", allow_private: true, at_once: 50 }'],
  routes: ['- { name: events, to: events, mapping: mapping.yaml }'],
});

/** @param calls of the backlog to the endpoint @param crmCalls of that to HubSpot */
export async function measureDrain(calls: number, crmCalls: number): Promise<DrainFigures> {
  const endpoint = await openEndpoint();
  try {
    const all = await drain('endpoint', calls, endpoint);
    const crm = await drain('hubspot', crmCalls, endpoint);
    return { rows: [all.row, crm.row], tenths: all.tenths };
  } finally {
    endpoint.close();
  }
}

/** A backlog to the endpoint. @param checkout another version's, whose processes are started from its own sources */
export async function drainToEndpoint(calls: number, checkout?: string): Promise<DrainRow> {
  const endpoint = await openEndpoint();
  try {
    return (await drain('endpoint', calls, endpoint, checkout)).row;
  } finally {
    endpoint.close();
  }
}

interface Endpoint {
  url: string;
  arrived: number;
  close(): void;
}

async function openEndpoint(): Promise<Endpoint> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      endpoint.arrived += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const endpoint = { url, arrived: 0, close: () => void server.close() };
  return endpoint;
}

async function drain(
  to: Target,
  calls: number,
  endpoint: Endpoint,
  checkout?: string,
): Promise<{ row: DrainRow; tenths: Drained[] }> {
  const options: InstallationOptions =
    to === 'endpoint'
      ? { config: TO_ENDPOINT, mapping: 'extends: http/event\n', env: { ENDPOINT: endpoint.url } }
      : { settings: { hubspot: { latency: 0 } } };
  const installation = await openInstallation({
    ...{ ...options, worker: false, workerEnv: WORKER_ENV },
    ...(checkout ? { checkout } : {}),
  });
  const done = () => (to === 'endpoint' ? endpoint.arrived : installation.sandbox.records('tasks').length);
  try {
    await firstUpkeep(installation);
    const commands = await countCommands(installation, done);
    await fill(installation, calls, WATCHED);
    const from = done();
    const { pid, stop } = await installation.startWorker();
    const marks: Mark[] = [];
    const mark = () => {
      const now = performance.now();
      const [worker, redis] = [cpuSeconds(pid), cpuSeconds(installation.redis.pid)];
      marks.push({ calls: done() - from, now, worker, redis, memory: residentBytes(pid) / 1024 ** 2 });
    };
    await comesTrue(
      () => {
        mark();
        return done() - from >= calls;
      },
      7_200_000,
      LOOK_EVERY_MS,
    );
    await settled(installation);
    mark();
    await stop();
    const tenths = Array.from({ length: TENTHS }, (_, n) =>
      between(marks, (calls * n) / TENTHS, (calls * (n + 1)) / TENTHS),
    );
    return { row: { to, calls, commands, ...between(marks, calls / TENTHS, calls) }, tenths };
  } finally {
    await installation.close();
  }
}

interface Mark {
  /** Done by then. */
  calls: number;
  /** ms */
  now: number;
  /** Seconds of CPU so far. */
  worker: number;
  redis: number;
  /** MiB */
  memory: number;
}

/** What the calls from one to another took; for the last of all, until nothing is left to do for them. */
function between(marks: readonly Mark[], from: number, to: number): Drained {
  const first = marks.findLast(({ calls }) => calls <= from) ?? marks[0];
  const last = marks.at(-1);
  const end = last && to >= last.calls ? last : marks.find(({ calls }) => calls >= to);
  if (!first || !end) throw new Error('nothing was drained');
  const calls = end.calls - first.calls;
  const seen = marks.slice(marks.indexOf(first), marks.indexOf(end) + 1);
  return {
    msPerCall: (end.now - first.now) / calls,
    worker: ((end.worker - first.worker) * 1000) / calls,
    redis: ((end.redis - first.redis) * 1000) / calls,
    memory: Math.max(...seen.map(({ memory }) => memory)),
  };
}

/** Keeps calls as ingress does. @param first number of the first caller */
async function fill({ store }: Installation, calls: number, first: number): Promise<void> {
  let next = first;
  const end = first + calls;
  const keep = async () => {
    while (next < end) {
      const payload = makeCall({ phone: phoneOf(next++) });
      await store.accept(
        {
          ...{ source: 'main', call_id: payload.call.call_id, body: Buffer.from(JSON.stringify(payload)) },
          ...{ received: 'webhook', verified: 'signature', received_at: Date.now() },
        },
        90,
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, keep));
}

/** Resolves when nothing is left to do for any call. */
async function settled({ store }: Installation): Promise<void> {
  await comesTrue(async () => (await store.redis.zcard(store.keys.open)) === 0, 60_000, LOOK_EVERY_MS);
}

/** A worker that finds a new Redis makes its indexes first. */
async function firstUpkeep({ startWorker, store }: Installation): Promise<void> {
  const { stop } = await startWorker();
  await comesTrue(async () => (await store.queues.get(MAINTENANCE_QUEUE).getCompletedCount()) > 0, 60_000);
  await stop();
}

/** How many commands the worker sends for one of a few calls, those of its start and of its upkeep left out. */
async function countCommands(installation: Installation, done: () => number): Promise<number> {
  await fill(installation, WATCHED, 0);
  const from = done();
  const client = new Redis(installation.redis.url);
  const monitor = await client.monitor();
  let commands = 0;
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    // What scripts do, and what this very process asks.
    if (source === 'lua' || UPKEEP.has(args[0]?.toLowerCase() ?? '')) return;
    commands += 1;
  });
  const { stop } = await installation.startWorker();
  await comesTrue(() => done() - from >= WATCHED, 60_000);
  await settled(installation);
  await stop();
  monitor.disconnect();
  client.disconnect();
  return commands / WATCHED;
}

const UPKEEP: ReadonlySet<string> = new Set(['zcard', 'info', 'ping', 'bzpopmin', 'client', 'hello', 'config']);
