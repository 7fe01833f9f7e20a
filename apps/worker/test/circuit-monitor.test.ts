/** A broken connection stops itself, keeps its calls, says why, is probed, and goes on by itself. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openWorkerSystem, type StartedWorker, until, type WorkerSystem } from './support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Alert {
  id: string;
  type: string;
  text: string;
  data: Record<string, unknown>;
}

/** Where alerts go. Fails the first so many. */
async function openListener(failures = 0) {
  const alerts: Alert[] = [];
  let left = failures;
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      left -= 1;
      if (left >= 0) return response.writeHead(500).end();
      alerts.push({ id: String(request.headers['webhook-id']), ...JSON.parse(text) });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { alerts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

async function open(workers: number, alertUrl?: string): Promise<{ system: WorkerSystem; workers: StartedWorker[] }> {
  const system = await openWorkerSystem(
    alertUrl
      ? {
          routes: `
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}" }
  ops: { kind: http, url: "${alertUrl}", allow_private: true }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
alerts: { to: ops }
`,
        }
      : {},
  );
  closers.push(() => system.close());
  return { system, workers: await Promise.all(Array.from({ length: workers }, () => system.startWorker())) };
}

const stateOf = (system: WorkerSystem) => system.store.connections.read('sales');
const counted = async (workers: StartedWorker[], line: RegExp) =>
  (await Promise.all(workers.map(({ metrics }) => metrics.text())))
    .map((text) => Number(line.exec(text)?.[1] ?? 0))
    .reduce((sum, number) => sum + number, 0);

describe('a revoked token', () => {
  it('pauses the connection for all workers, counts no attempt, alerts once, and resumes when it works again', async () => {
    // The first alert is refused: it is sent again.
    const listener = await openListener(1);
    const { system, workers } = await open(2, listener.url);
    const { sandbox, store } = system;
    sandbox.control.settings({ hubspot: { revoked_tokens: ['pat-na1-test'] } });
    const calls = await Promise.all(Array.from({ length: 30 }, () => system.arrive()));
    await until(async () => (await stateOf(system)).circuit === 'open');
    await until(() => listener.alerts.length > 0);
    expect(await store.queues.deliveries('sales').isPaused()).toBe(true);

    const asked = sandbox.control.requests().requests.length;
    const later = await system.arrive();
    await until(async () => (await system.delivery(later.call_id))?.state === 'queued');
    for (const { call_id } of calls) {
      const delivery = await system.delivery(call_id);
      expect(delivery).toMatchObject({ state: 'queued', attempts: 0 });
    }
    // No worker asks for calls any more; the one probe that a worker's start allows may still come.
    expect(sandbox.control.requests().requests.length - asked).toBeLessThan(4);
    expect(listener.alerts).toMatchObject([
      {
        type: 'connection.paused',
        text: expect.stringMatching(
          /^Connection sales is paused: its credentials are refused\. Last failure: .*goes on by itself/,
        ),
        data: { connection: 'sales', cause: 'unauthorized', code: 'unauthorized', waiting: expect.any(Number) },
      },
    ]);
    expect(
      await counted(workers, /circuit_changes_total\{connection="sales",became="opened",cause="unauthorized"\} (\d+)/),
    ).toBe(1);

    sandbox.control.settings({ hubspot: { revoked_tokens: [] } });
    await store.connections.probeNow('sales');
    await until(async () => (await system.delivery(later.call_id))?.state === 'written');
    for (const { call_id } of calls) await until(async () => (await system.delivery(call_id))?.state === 'written');
    await until(() => listener.alerts.length === 2);
    expect(listener.alerts[1]).toMatchObject({ type: 'connection.resumed', data: { connection: 'sales' } });
    expect(new Set(listener.alerts.map(({ id }) => id)).size).toBe(2);
    expect((await stateOf(system)).circuit).toBe('closed');
    expect(sandbox.records('calls')).toHaveLength(31);
    expect(await counted(workers, /circuit_probes_total\{connection="sales",result="answered"\} (\d+)/)).toBe(1);
  });

  it('is asked again at once when new settings come in', async () => {
    const { system } = await open(1);
    system.sandbox.control.settings({ hubspot: { revoked_tokens: ['pat-na1-test'] } });
    const { call_id } = await system.arrive();
    await until(async () => (await stateOf(system)).circuit === 'open');
    await system.configure(`
connections:
  sales: { kind: hubspot, access_token: pat-na1-new, base_url: "\${HUBSPOT_BASE_URL}" }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
`);
    await until(async () => (await system.delivery(call_id))?.state === 'written');
  });
});

describe('a CRM that is down', () => {
  it('is left alone after some failures in a row, and asked by probes alone until it answers', async () => {
    const { system, workers } = await open(2);
    system.sandbox.control.fault({ kind: 'status', status: 503, times: 100_000 });
    const calls = await Promise.all(Array.from({ length: 5 }, () => system.arrive()));
    await until(async () => (await stateOf(system)).circuit === 'open');
    expect((await stateOf(system)).pause).toMatchObject({ cause: 'outage', code: 'unavailable' });
    // Without any help the probe after five seconds finds that it works.
    system.sandbox.control.clearFaults();
    for (const { call_id } of calls) await until(async () => (await system.delivery(call_id))?.state === 'written');
    expect(system.sandbox.records('calls')).toHaveLength(5);
    await until(async () => (await stateOf(system)).circuit === 'closed');
    expect(await counted(workers, /circuit_probes_total\{connection="sales",result="answered"\} (\d+)/)).toBe(1);
  });
});

describe('an operator’s pause', () => {
  it('holds what comes in and lets all go on afterwards', async () => {
    const { system } = await open(1);
    await system.store.connections.pause('sales', 'moving');
    const { call_id } = await system.arrive();
    await until(async () => (await system.delivery(call_id))?.state === 'queued');
    await until(async () => (await system.store.queues.deliveries('sales').getJobCounts('waiting')).waiting === 1);
    expect(await system.delivery(call_id)).toMatchObject({ attempts: 0 });
    await system.store.connections.resume('sales');
    await until(async () => (await system.delivery(call_id))?.state === 'written');
  });
});
