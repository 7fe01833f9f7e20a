/** Traces as a collector gets them over OTLP: one for each call, from its webhook to the requests to the CRM. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SPAN_ATTRIBUTES } from '@wrapup/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';
import { json, type Listening, listenTiny } from '../support/tiny-server.ts';

interface SentSpan {
  /** The process that sent it. */
  service: string;
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
const PAGE = resolve(import.meta.dirname, '../../docs/guide/operating.md');
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
    const sent = JSON.parse(body) as {
      resourceSpans: { resource: Pick<SentSpan, 'attributes'>; scopeSpans: { spans: SentSpan[] }[] }[];
    };
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue as string;
      for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, service })));
    }
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
});
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

it('the ledger, the command and the page of the call name it', async () => {
  const [trace_id] = traceOf(idOf(0));
  const entry = await system.store.ledger.read('main', idOf(0));
  expect(entry?.deliveries).toMatchObject([{ state: 'written', trace_id }]);
  expect((await wrapup(['calls', 'show', idOf(0)], system.env)).stdout).toContain(`  trace     ${trace_id}\n`);
  const dashboard = await system.startDashboard();
  const page = await (await fetch(`http://127.0.0.1:${dashboard.port}/calls/${idOf(0)}?source=main`)).text();
  expect(page).toContain(`<code>${trace_id}</code>`);
});

it('docs/guide/operating.md shows the trace of a call as it is', () => {
  const [traceId = ''] = traceOf(idOf(0));
  const first = spans.filter((span) => span.traceId === traceId && attribute(span, 'wrapup.result') !== 'duplicate');
  const text = describeTrace(first);
  const block = /(?<=^## Traces$[\s\S]*?^```text\n)[\s\S]*?(?=^```$)/m;
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.WRAPUP_WRITE_DOCS) writeFileSync(PAGE, page.replace(block, text));
  // Requests of one moment come in any order, and take as long as they take.
  const linesOf = (some = '') =>
    some
      .replace(/[0-9a-f]{32}/g, 'id')
      .replace(/\d+/g, 'n')
      .replace(/[├└│─]/g, ' ')
      .split('\n');
  expect(linesOf(block.exec(readFileSync(PAGE, 'utf8'))?.[0]).sort()).toEqual(linesOf(text).sort());
});

/** A span a line, below the one that it is part of: process, name, how long it took, and what is noted. */
function describeTrace(some: readonly SentSpan[]): string {
  const ms = ({ startTimeUnixNano: from, endTimeUnixNano: to }: SentSpan) =>
    Math.round(Number(BigInt(to) - BigInt(from)) / 1e6);
  const below = (parent: SentSpan | undefined, indent: string): string[] => {
    const children = some
      .filter(({ parentSpanId }) => (parentSpanId || undefined) === parent?.spanId)
      .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
    return children.flatMap((span, index) => {
      const isLast = index === children.length - 1;
      const noted = span.attributes
        .filter(({ key }) => !['wrapup.source', 'wrapup.call_id'].includes(key))
        .map(({ key, value }) => `${key.replace('wrapup.', '')}=${Object.values(value)[0]}`);
      const branch = parent ? `${indent}${isLast ? '└─ ' : '├─ '}` : '';
      const line = `${branch}${span.name} (${span.service}) ${ms(span)} ms  ${noted.join(' ')}`.trimEnd();
      return [line, ...below(span, parent ? `${indent}${isLast ? '   ' : '│  '}` : '')];
    });
  };
  return [`trace ${some[0]?.traceId}`, ...below(undefined, ''), ''].join('\n');
}

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
