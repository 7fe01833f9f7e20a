/** What real processes export is what docs/reference/metrics.md says: no metric more, none less, each label as defined. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { METRIC_LABELS, METRICS, type MetricDefinition } from '@wrapup/telemetry';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { PATIENCE } from '../support/patience.ts';
import type { Process } from '../support/process.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;
let worker: Process;
const texts: Record<string, string> = {};
const sample = sampleOf('connected', '+14155550123');
const id = sample.call.call_id;

beforeAll(async () => {
  system = await openSystem({ env: { LOG_LEVEL: 'debug' } });
  worker = await system.startWorker();
  const processes = { worker, ingress: await system.startIngress(), dashboard: await system.startDashboard() };
  await system.post(sample);
  await system.settled(id);
  // A worker counts a delivery a moment after its ledger has it.
  const isCounted = () => worker.lines.some(({ msg, call_id }) => msg === 'delivered' && call_id === id);
  await vi.waitUntil(isCounted, PATIENCE);
  for (const [name, { port }] of Object.entries(processes))
    texts[name] = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
});
afterAll(() => system?.close());

const DEFINED = Object.entries<MetricDefinition>(METRICS);

it('each process exports the metrics that are listed for it, and no others', () => {
  const exported = Object.entries(texts).flatMap(([process, text]) =>
    [...text.matchAll(/^# TYPE wrapup_(\w+) (\w+)$/gm)].map(([, name, type]) => `${process} ${name} ${type}`),
  );
  const listed = DEFINED.flatMap(([name, { type, of }]) => of.map((process) => `${process} ${name} ${type}`));
  expect(exported.sort()).toEqual(listed.sort());
});

it('a series has the labels that are listed for its metric', () => {
  const seen = new Set<string>();
  for (const [, base = '', suffix, given = ''] of Object.values(texts)
    .join('\n')
    .matchAll(/^wrapup_(\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? \S+$/gm)) {
    const definition = (METRICS as Record<string, MetricDefinition>)[base];
    expect(definition, base + suffix).toBeDefined();
    const labels = [...given.matchAll(/(\w+)="/g)].flatMap(([, label]) => (label === 'le' ? [] : [label]));
    expect(labels.sort(), base).toEqual([...(definition?.labels ?? [])].sort());
    seen.add(base);
  }
  expect(seen.size).toBeGreaterThan(20);
});

it('each metric that the dashboard and the alarms name is exported', () => {
  const files = [
    'grafana/dashboard.json',
    'alerts.yml',
    'alerts.test.yml',
    'README.md',
    '../kubernetes/components/keda/scaled-object.yaml',
  ];
  const folder = resolve(import.meta.dirname, '../../deploy/monitoring');
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const named = new Set(text.match(/\b(?:wrapup|nodejs|process)_[a-z0-9_]+[a-z]\b/g));
  const types = [
    ...Object.values(texts)
      .join('\n')
      .matchAll(/^# TYPE (\w+) (\w+)$/gm),
  ];
  const exported = types.flatMap(([, name, type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  );
  expect([...named].filter((name) => !exported.includes(name))).toEqual([]);
  expect(named.size).toBeGreaterThan(30);
});

it('names follow the rules: base units, _total for counters only', () => {
  for (const [name, { type, labels = [] }] of DEFINED) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/);
    for (const label of labels) expect(METRIC_LABELS).toHaveProperty(label);
  }
});

it('one call is counted from the webhook to its records, with labels that join', () => {
  expect(texts.ingress).toMatch(/^wrapup_redis_write_seconds_count [1-9]/m);
  expect(texts.worker).toContain('wrapup_calls_total{source="main",outcome="connected",result="routed"} 1');
  expect(texts.worker).toContain(
    'wrapup_deliveries_total{connection="sales",route="sales-calls",result="written",code=""} 1',
  );
  expect(texts.worker).toContain('wrapup_delivery_latency_seconds_count{connection="sales",priority="live"} 1');
  const requests = /^wrapup_crm_requests_total\{connection="sales",result="ok"\} (\d+)$/m.exec(texts.worker ?? '');
  const timed = /^wrapup_crm_request_seconds_count\{connection="sales"\} (\d+)$/m.exec(texts.worker ?? '');
  expect(Number(requests?.[1])).toBeGreaterThan(1);
  expect(timed?.[1]).toBe(requests?.[1]);
  expect(texts.dashboard).toContain(
    'wrapup_queue_oldest_waiting_seconds{queue="deliveries.sales",connection="sales",state="waiting"} 0',
  );
  expect(texts.dashboard).toMatch(/^wrapup_build_info\{process="dashboard",version="\d+\.\d+\.\d+",revision=""\} 1$/m);
});

it('a call is followed in the log from its delivery to each request that it took', () => {
  const delivered = worker.lines.find(({ msg }) => msg === 'delivered');
  expect(delivered).toMatchObject({
    ...{ source: 'main', call_id: id, route: 'sales-calls', connection: 'sales', result: 'written', priority: 'live' },
    ...{ ms: expect.any(Number), attempts: 1, requests: expect.any(Number) },
  });
  const asked = worker.lines.filter(({ msg, calls }) => msg === 'asked HubSpot' && String(calls) === `main:${id}`);
  expect(asked.map(({ request }) => String(request)).filter((request) => /create|upsert/.test(request))).not.toEqual(
    [],
  );
  for (const line of asked) expect(line).toMatchObject({ connection: 'sales', result: 'ok', ms: expect.any(Number) });
});
