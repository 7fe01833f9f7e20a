/** Traces as a collector gets them over OTLP: one for each call, from its webhook to the requests to the CRM. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { SPAN_ATTRIBUTES } from '@wrapup/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';
import { json, type Listening, listenTiny } from '../support/tiny-server.ts';

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, string | number> }[];
  links: { traceId: string; spanId: string }[];
}

const PEOPLE = 30;
let collector: Listening;
let system: TestSystem;
const spans: SentSpan[] = [];
const bodies: string[] = [];
const samples = Array.from({ length: PEOPLE }, (_, index) => sampleOf('connected', `+14155550${String(100 + index)}`));
const idOf = (index: number) => samples[index]?.call.call_id as string;
let delivered: Record<string, unknown>[] = [];

beforeAll(async () => {
  collector = await listenTiny((body, _request, response) => {
    bodies.push(body);
    const sent = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] };
    for (const { scopeSpans } of sent.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    json(response, 200, {});
  });
  system = await openSystem({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  const [worker] = await Promise.all([system.startWorker(), system.startIngress()]);
  const [first, ...others] = samples;
  if (!first) throw new Error('no samples');
  await system.post(first);
  await system.settled(idOf(0));
  await Promise.all(others.map((sample) => system.post(sample)));
  for (const { call } of others) await system.settled(call.call_id);
  await system.post(first);
  // What a process has not sent yet it sends when it stops.
  await system.stop();
  delivered = worker.lines.filter(({ msg }) => msg === 'delivered');
}, 120_000);
afterAll(async () => {
  await system?.close();
  await collector?.close();
});

const attribute = ({ attributes }: SentSpan, key: string) =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];
const traceOf = (callId: string) => {
  const ids = new Set(
    spans.filter((span) => attribute(span, 'wrapup.call_id') === callId).map(({ traceId }) => traceId),
  );
  return [...ids];
};

it('a call is one trace: its webhook, both queues, the batch, and each request to the CRM', () => {
  const [traceId, ...more] = traceOf(idOf(0));
  expect(more).toEqual([]);
  const own = spans.filter((span) => span.traceId === traceId);
  const named = (name: string) => own.filter((span) => span.name === name);
  const [webhook, repeat] = named('webhook');
  const [route] = named('route call');
  const [deliver] = named('deliver');
  const [batch] = named('write batch');
  // Of a repeat, which came when all was done, it is said that it is one.
  expect(webhook?.parentSpanId ?? '').toBe('');
  expect([repeat?.parentSpanId, repeat && attribute(repeat, 'wrapup.result')]).toEqual([webhook?.spanId, 'duplicate']);
  expect([route?.parentSpanId, deliver?.parentSpanId]).toEqual([webhook?.spanId, webhook?.spanId]);
  expect(batch?.parentSpanId).toBe(deliver?.spanId);
  const requests = own.filter(({ parentSpanId }) => parentSpanId === batch?.spanId);
  expect(requests.length).toBeGreaterThan(1);
  expect(requests.map(({ name }) => name).join()).toMatch(/create|upsert/);
  for (const request of requests) {
    expect(attribute(request, 'wrapup.result')).toBe('ok');
    expect(Number(request.startTimeUnixNano)).toBeGreaterThanOrEqual(Number(batch?.startTimeUnixNano) - 5e6);
  }
  expect(deliver && attribute(deliver, 'wrapup.result')).toBe('written');
  expect(new Set(own.map(({ spanId }) => spanId)).size).toBe(own.length);
  // The line of the log leads to it.
  expect(delivered.find(({ call_id }) => call_id === idOf(0))).toMatchObject({ trace_id: traceId });
});

it('calls that share a batch are linked with it, and it with them', () => {
  const shared = spans.filter(
    (span) => span.name === 'write batch' && Number(attribute(span, 'wrapup.batch_size')) > 1,
  );
  expect(shared.length).toBeGreaterThan(0);
  for (const batch of shared) {
    const size = Number(attribute(batch, 'wrapup.batch_size'));
    const parent = spans.find(({ spanId }) => spanId === batch.parentSpanId);
    const linked = batch.links.map(({ spanId }) => spans.find((span) => span.spanId === spanId));
    const deliveries = [parent, ...linked];
    expect(deliveries.map((span) => span?.name)).toEqual(Array.from({ length: size }, () => 'deliver'));
    expect(new Set(deliveries.map((span) => span?.traceId)).size).toBe(size);
    for (const delivery of linked)
      expect(delivery?.links).toContainEqual(expect.objectContaining({ traceId: batch.traceId, spanId: batch.spanId }));
  }
  // Every call has its trace, of its own.
  expect(new Set(samples.flatMap(({ call }) => traceOf(call.call_id))).size).toBe(PEOPLE);
});

it('a trace holds nothing personal: attributes of a closed set, and no name, number or address of a caller', () => {
  const keys = new Set(spans.flatMap(({ attributes }) => attributes.map(({ key }) => key)));
  expect([...keys].filter((key) => !(SPAN_ATTRIBUTES as readonly string[]).includes(key))).toEqual([]);
  const text = bodies.join('\n');
  expect(text).not.toContain('4155550');
  expect(text).not.toMatch(/@example\.com|Dana|transcript|pat-na1/);
});

it('no process loads an SDK of OpenTelemetry while no collector is named', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve(name, context, next) { const found = next(name, context); seen.push(found.url); return found; } });
    const processes = ['ingress/src/ingress.ts', 'worker/src/worker.ts', 'dashboard/src/dashboard.ts'];
    for (const file of processes) await import('./apps/' + file);
    const { openTracing } = await import('./packages/telemetry/src/index.ts');
    const tracing = await openTracing('worker');
    const count = () => seen.filter((url) => /@opentelemetry\\/(sdk|exporter|otlp|resources)/.test(url)).length;
    const span = tracing.begin({ name: 'nothing', kind: 'internal' });
    span.end();
    console.log(tracing.isOn, span.ref === undefined, count() > 0);
  `;
  const run = (env: Record<string, string>) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...{ cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' },
      env: { PATH: process.env.PATH ?? '', ...env },
    }).stdout.trim();
  expect(run({})).toBe('false true false');
  expect(run({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '0' })).toBe('true true true');
});
