/** An ingress on a free port, over the real intake and a real Redis. */
import { createHash } from 'node:crypto';
import type { Config, Connection, Inbound, Source } from '@wrapup/config';
import { type Intake, openIntake, openStore, revisionOf, type Store } from '@wrapup/queue';
import { sign } from '@wrapup/synthflow';
import { createLogger, createMetrics, type Metrics, type ServeOptions, serve } from '@wrapup/telemetry';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../../test/support/redis.ts';
import { type CallerLookup, createIngress, type IngressOptions, openCallerLookup } from '../../src/index.ts';

export const SECRET = 'a secret of 256 bits, more or less';

export function source(given: Partial<Source> = {}): Source {
  return {
    name: 'main',
    provider: 'synthflow',
    region: 'us',
    webhook_secrets: [SECRET],
    path_token: [],
    trust: 'signature',
    revisions: 'additive',
    keep: { transcript: true, raw: true },
    agents: {},
    ...given,
  };
}

export interface Harness {
  url: string;
  port: number;
  intake: Intake;
  store: Store;
  metrics: Metrics;
  callers: CallerLookup;
  prefix: string;
  /** Everything logged so far. */
  logged(): string;
  /** What the next requests find as sources. */
  configure(...sources: Source[]): void;
  /** What the next inbound calls find as `inbound:`; undefined takes it away. */
  answerCalls(inbound: Inbound | undefined): void;
  /** A signed post-call event; what is given overrides that. */
  send(event?: Sent): Promise<Response>;
  /** The bytes in Redis of this revision of a call. */
  stored(callId: string, sent: Uint8Array | string): Promise<Buffer | undefined>;
  /** Calls in the queue. */
  queued(): Promise<number>;
  close(): Promise<void>;
}

export interface Sent {
  path?: string;
  callId?: string;
  body?: Uint8Array | string;
  /** `null` for none. */
  signature?: string | null;
  header?: string;
  headers?: Record<string, string>;
  method?: string;
}

export interface HarnessOptions {
  sources?: Source[];
  options?: Partial<IngressOptions>;
  redis?: string;
  /** The circuit's clock. */
  now?: () => number;
  /** Of an installation that another one is part of already. */
  prefix?: string;
  serve?: Partial<ServeOptions>;
  inbound?: Inbound;
  connections?: Record<string, Connection>;
  clients?: Config['clients'];
  /** Wraps the intake, to watch what it is given. */
  intake?: (real: Intake) => Intake;
}

let count = 0;

/** A call id that no other test has. */
export function newCallId(): string {
  count += 1;
  return `${createHash('sha256').update(`${process.pid} ${count}`).digest('hex').slice(0, 12)}-${count}`;
}

export function eventOf(callId: string, more: object = {}): string {
  return JSON.stringify({ status: 'completed', call: { call_id: callId, status: 'completed', ...more } });
}

export async function startHarness(given: HarnessOptions = {}): Promise<Harness> {
  let sources = given.sources ?? [source()];
  let { inbound } = given;
  const config = (): Config => ({
    file: '/wrapup.yaml',
    hash: 'test',
    sources: Object.fromEntries(sources.map((one) => [one.name, { ...(inbound && { inbound }), ...one }])),
    connections: given.connections ?? {},
    routes: [],
    digests: [],
    retention: { ledger_days: 90, delivered_days: 7, stopped_days: 30 },
    clients: given.clients ?? {},
  });
  let logged = '';
  const log = createLogger('ingress', {
    level: 'debug',
    stream: {
      write(line: string) {
        logged += line;
      },
    },
  });
  const prefix = given.prefix ?? freshPrefix();
  const url = given.redis ?? redisUrl();
  const real = openIntake({ url, prefix, onError: (error) => log.warn({ err: error }, 'Redis connection') });
  const store = openStore({ url, prefix, role: 'producer', onError: () => {} });
  const metrics = createMetrics();
  const intake = given.intake?.(real) ?? real;
  const openOwn = () => openStore({ url, prefix, role: 'producer', onError: () => {} });
  const callers = openCallerLookup({ config, openStore: openOwn, log, metrics, now: given.now });
  await callers.prepare();
  const app = createIngress({
    config,
    intake,
    callers,
    log,
    metrics,
    ...(given.options && { options: given.options }),
  });
  const served = await serve(app, { port: 0, host: '127.0.0.1', name: 'ingress', ...given.serve });
  if (!given.redis) {
    await waitUntil(async () => (await intake.ready()).ok);
    await store.connected(PATIENCE);
  }
  const base = `http://127.0.0.1:${served.port}`;

  return {
    url: base,
    port: served.port,
    intake,
    store,
    metrics,
    callers,
    prefix,
    logged: () => logged,
    configure(...next) {
      sources = next;
    },
    answerCalls(next) {
      inbound = next;
    },
    send({ path, callId = newCallId(), body = eventOf(callId), signature, header, headers, method = 'POST' } = {}) {
      const proof = signature === null ? {} : { [header ?? 'synthflow-signature']: signature ?? sign(callId, SECRET) };
      return fetch(`${base}${path ?? '/webhooks/main/post-call'}`, {
        method,
        headers: { 'content-type': 'application/json', ...proof, ...headers },
        ...(method === 'GET' || method === 'HEAD' ? {} : { body: body as never }),
      });
    },
    async stored(callId, sent) {
      return store.payloads.read('main', callId, revisionOf(Buffer.from(sent as Uint8Array)));
    },
    queued: () => store.queues.get('calls').count(),
    async close() {
      await served.close(0);
      await callers.close();
      await Promise.allSettled([real.close(), store.close()]);
    },
  };
}

/** Polls until it holds. @throws Error when it does not in all that time */
export async function waitUntil(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('did not come true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
