import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics } from '../observe/metrics.ts';
import { digestOfSecret, isSecret } from './same-secret.ts';

/** Whether the process can do its work, and what is wrong; problems with `ok` are warnings. */
export interface Readiness {
  ok: boolean;
  problems: string[];
}

export interface HealthOptions {
  /** Answers `/readyz`; without it the path is not served. Hanging for 2 s or rejecting counts as not ready. */
  ready?: () => Promise<Readiness>;
  /** Answers `/metrics`; without it the path is not served. */
  metrics?: Metrics;
  /** `/metrics` asks for it as a bearer token when it is set. */
  metricsToken?: string | undefined;
  /** Asked for each request: clients have logins, and see nothing of each other. `/metrics` is refused without a token then. */
  hasClientLogins?: () => boolean;
}

export type HealthHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;

const READY_WITHIN_MS = 2_000;

/**
 * `/healthz` (the process is up), `/readyz` (it can do its work: 200 or 503) and `/metrics`, as Express middleware or as
 * the whole listener of a bare node:http server, where anything else is 404.
 */
export function healthRoutes(options: HealthOptions): HealthHandler {
  const routes = new Map<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>();
  routes.set('/healthz', async (_request, response) => answer(response, 200, { status: 'ok' }));

  const { ready, metrics, metricsToken, hasClientLogins = () => false } = options;
  if (ready) {
    routes.set('/readyz', async (_request, response) => {
      const { ok, problems } = await checkReady(ready);
      answer(response, ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', problems });
    });
  }
  if (metrics) {
    routes.set('/metrics', async (request, response) => {
      if (!metricsToken && hasClientLogins()) {
        const hint = 'Set METRICS_TOKEN: clients have logins here, and metrics name all of them.';
        return answer(response, 403, { status: 'forbidden', hint });
      }
      if (metricsToken && !holds(request, metricsToken)) {
        response.setHeader('www-authenticate', 'Bearer');
        return answer(response, 401, { status: 'unauthorized', hint: 'Send METRICS_TOKEN as a bearer token.' });
      }
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text);
    });
  }

  return (request, response, next) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const route = routes.get(path);
    if (!route) return next ? next() : answer(response, 404, { status: 'not found' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return answer(response, 405, { status: 'method not allowed' });
    }
    route(request, response).catch(() => answer(response, 500, { status: 'error' }));
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

async function checkReady(ready: () => Promise<Readiness>): Promise<Readiness> {
  const late = { ok: false, problems: ['the readiness check did not answer in time'] };
  try {
    return await Promise.race([ready(), sleep(READY_WITHIN_MS, late, { ref: false })]);
  } catch {
    return { ok: false, problems: ['the readiness check failed'] };
  }
}

function holds(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return isSecret(given, digestOfSecret(token));
}
