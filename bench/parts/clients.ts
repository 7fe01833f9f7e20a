/**
 * What clients cost that have no work, and what one costs another that has.
 *
 * Idle: a worker with so many clients, one connection each, and what it takes while nothing happens; then lone calls, each of
 * another client. Beside it the baseline, one BullMQ worker for each connection, whose job is all that a call is to it.
 *
 * Flood: a quiet client's calls, one after the other, from webhook to record: alone, while another client has a backlog, and
 * while that one's CRM hangs as well.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningSandbox } from '@wrapup/sandbox';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { phoneOf } from '../../test/support/phone.ts';
import { startProcess, startScript } from '../../test/support/process.ts';
import { cpuSeconds } from '../../test/support/process-time.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { makeCall } from '../support/calls.ts';
import { percentile } from '../support/statistics.ts';
import { comesTrue, eachOf, pause } from '../support/watch.ts';

export interface IdleFigures {
  /** ms from the start of the process to its being ready. */
  start: number;
  /** MiB, resident. */
  memory: number;
  /** Connections to Redis. */
  redis: number;
  /** Per cent of one core. */
  cpu: number;
  redisCpu: number;
  /** Median of lone calls, ms. */
  latency: number;
}

interface Times {
  /** ms */
  p50: number;
  p99: number;
}

export interface ClientsFigures {
  idle: { clients: number; of: Record<'wrapup' | 'baseline', IdleFigures> }[];
  flood: Record<'alone' | 'beside a backlog' | 'beside a CRM that hangs', Times> & {
    /** Calls of the backlog when it began to be measured, and when that was over. */
    backlog: [number, number];
  };
}

const LONE_CALLS = 25;
/** Between the start of a process and what is measured of it at rest: by then mappings and accounts are compared. */
const SETTLE_MS = 20_000;
const REST_MS = 20_000;
const config = 'retention: { delivered: 3d }\n';
const secretOf = (client: string) => `${client}-5d7b48a6a3f1c09e5d7b48a6`.padStart(40, 'a3f1c0');

export async function measureClients(sizes: readonly number[], backlog: number): Promise<ClientsFigures> {
  const idle: ClientsFigures['idle'] = [];
  for (const clients of sizes)
    idle.push({ clients, of: { wrapup: await measureIdle(clients), baseline: await measureBaseline(clients) } });
  return { idle, flood: await measureFlood(backlog) };
}

/** Notes when an event comes. */
async function openEndpoint() {
  let arrived = 0;
  let at = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      arrived += 1;
      at = performance.now();
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    /** ms until the event that this leads to has come. */
    async time(send: () => Promise<unknown>): Promise<number> {
      const before = arrived;
      const sent = performance.now();
      await send();
      await comesTrue(() => arrived > before, 30_000, 1);
      return at - sent;
    },
    close: () => server.closeAllConnections(),
  };
}

async function measureIdle(clients: number): Promise<IdleFigures> {
  const endpoint = await openEndpoint();
  const names = Array.from({ length: clients }, (_, index) => `client-${index}`);
  const fileOf = (client: string) => `
sources:
  main: { webhook_secrets: [${secretOf(client)}] }
connections:
  hook: { kind: http, url: "${endpoint.url}", allow_private: true }
routes:
  - { name: all, to: hook, mapping: mapping.yaml }
`;
  const installation = await openInstallation({
    ...{ config, mapping: 'extends: http/event\n', worker: false },
    files: Object.fromEntries(names.map((client) => [`clients/${client}.yaml`, fileOf(client)])),
    workerEnv: { NODE_OPTIONS: '--max-semi-space-size=16' },
  });
  try {
    const at = (index: number) => names[Math.floor((index * clients) / LONE_CALLS)] as string;
    return await measureProcess(
      installation.redis,
      async () => (await installation.startWorker()).pid,
      (index) =>
        endpoint.time(() =>
          installation.post(makeCall({ phone: phoneOf(index) }), {
            source: `${at(index)}.main`,
            secret: secretOf(at(index)),
          }),
        ),
    );
  } finally {
    await installation.close();
    endpoint.close();
  }
}

async function measureBaseline(clients: number): Promise<IdleFigures> {
  const endpoint = await openEndpoint();
  const installation = await openInstallation({ worker: false });
  const connection = new Redis(installation.redis.url, { maxRetriesPerRequest: null });
  let stop = async () => {};
  try {
    const start = async () => {
      const worker = await startScript('bench/baseline/worker-per-connection.ts', {
        ...{ REDIS_URL: installation.redis.url, ENDPOINT: endpoint.url, BASELINE_CONNECTIONS: String(clients) },
        NODE_OPTIONS: '--max-semi-space-size=16',
      });
      stop = worker.kill;
      return worker.pid;
    };
    return await measureProcess(installation.redis, start, async (index) => {
      const queue = new Queue(`deliveries.client-${Math.floor((index * clients) / LONE_CALLS)}`, {
        connection: connection as never,
      });
      await queue.waitUntilReady();
      return endpoint.time(() => queue.add('event', makeCall({ phone: phoneOf(index) })));
    });
  } finally {
    await stop();
    connection.disconnect();
    await installation.close();
    endpoint.close();
  }
}

/** @param lone sends one call of another client each time, and says how long it took */
async function measureProcess(
  redis: { url: string; pid: number },
  start: () => Promise<number>,
  lone: (index: number) => Promise<number>,
): Promise<IdleFigures> {
  const admin = new Redis(redis.url);
  const clients = async () =>
    String(await admin.client('LIST'))
      .trim()
      .split('\n').length;
  try {
    const before = await clients();
    const began = performance.now();
    const pid = await start();
    const ready = performance.now() - began;
    await pause(SETTLE_MS);
    const open = (await clients()) - before;
    const [cpu, redisCpu] = [cpuSeconds(pid), cpuSeconds(redis.pid)];
    await pause(REST_MS);
    const share = (seconds: number) => (seconds / (REST_MS / 1000)) * 100;
    const rest = { cpu: share(cpuSeconds(pid) - cpu), redisCpu: share(cpuSeconds(redis.pid) - redisCpu) };
    const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    const times: number[] = [];
    for (let index = 0; index < LONE_CALLS; index += 1) {
      times.push(await lone(index));
      await pause(250);
    }
    // The first ones find code that has not run yet.
    return { start: ready, memory, redis: open, ...rest, latency: percentile(times.slice(5), 50) };
  } finally {
    admin.disconnect();
  }
}

const CALLS = 20;

async function measureFlood(backlog: number): Promise<ClientsFigures['flood']> {
  // In a process of its own: what it does for the backlog must not keep the quiet client's CRM.
  const flooded = await startProcess('sandbox', { SANDBOX_SETTINGS: '{"hubspot":{"latency":40}}' });
  const floodedUrl = `http://127.0.0.1:${flooded.port}`;
  const fileOf = (client: string, address: string) => `
sources:
  main: { webhook_secrets: [${secretOf(client)}], default_country: US }
connections:
  sales: { kind: hubspot, access_token: pat-na1-bench, base_url: "${address}" }
routes:
  - { name: calls, to: sales, mapping: mapping.yaml }
`;
  const installation = await openInstallation({
    ...{ config, mapping: 'extends: hubspot/call-log\ntasks: []\n' },
    files: {
      'clients/flood.yaml': fileOf('flood', '${FLOOD_BASE_URL}'),
      'clients/quiet.yaml': fileOf('quiet', '${HUBSPOT_BASE_URL}'),
    },
    env: { FLOOD_BASE_URL: `${floodedUrl}/hubspot` },
  });
  const { sandbox, store } = installation;
  const waiting = async () => (await store.queues.read(['calls.flood']))[0]?.waiting ?? 0;
  try {
    const phones = Array.from({ length: 3 * CALLS + 5 }, (_, n) => phoneOf(n));
    sandbox.control.seed({
      records: { contacts: phones.map((phone) => ({ properties: { phone, firstname: 'Known' } })) },
    });
    await pause(SETTLE_MS);
    const next = async (count: number): Promise<Times> => {
      const times: number[] = [];
      for (const phone of phones.splice(0, count)) times.push(await timeOf(installation, sandbox, phone));
      return { p50: percentile(times, 50), p99: percentile(times, 99) };
    };
    await next(5);
    const alone = await next(CALLS);
    await eachOf(
      Array.from({ length: backlog }, (_, n) => n),
      64,
      async (n) => {
        const payload = makeCall({ phone: phoneOf(100_000 + n) });
        const body = Buffer.from(JSON.stringify(payload));
        const arrival = { source: 'flood.main', call_id: payload.call.call_id, body, received_at: Date.now() };
        await store.accept({ ...arrival, received: 'webhook', verified: 'signature' }, 90);
      },
    );
    const first = await waiting();
    const beside = await next(CALLS);
    await fetch(`${floodedUrl}/_sandbox/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"hubspot":{"latency":60000}}',
    });
    await pause(3_000);
    const hanging = await next(CALLS);
    const left = await waiting();
    return {
      ...{ alone, 'beside a backlog': beside, 'beside a CRM that hangs': hanging },
      backlog: [first, left],
    };
  } finally {
    await installation.close();
    await flooded.kill();
  }
}

async function timeOf(installation: Installation, sandbox: RunningSandbox, phone: string): Promise<number> {
  const before = sandbox.records('calls').length;
  const sent = Date.now();
  await installation.post(makeCall({ phone }), { source: 'quiet.main', secret: secretOf('quiet') });
  await comesTrue(() => sandbox.records('calls').length > before, 60_000, 10);
  const made = sandbox.journal().findLast(({ effect, object }) => effect === 'created' && object === 'calls');
  await pause(400);
  return Date.parse(made?.at ?? '') - sent;
}
