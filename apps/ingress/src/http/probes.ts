import type { IncomingMessage } from 'node:http';
import type { Logger, Metrics } from '@wrapup/telemetry';
import type { IngressAnswer } from './request-handler.ts';

export interface Probes {
  /** Counts and logs a request without an event, and answers 200. */
  answer(event: string, request: IncomingMessage, source: string): IngressAnswer;
}

export function makeProbes(metrics: Metrics, log: Logger): Probes {
  const probes = metrics.counter('ingress_probes_total');
  return {
    answer(event, request, source) {
      const method = request.method ?? '';
      probes.inc({ source, event, method });
      log.info({ source, event, method }, 'this URL was probed');
      return { status: 200, body: '{"status":"ok"}', result: 'probe' };
    },
  };
}

/** A POST that announces no body. A chunked one may be empty as well, which shows only when it is read. */
export function isEmpty(request: IncomingMessage): boolean {
  if (request.method !== 'POST' || request.headers['transfer-encoding'] !== undefined) return false;
  const length = request.headers['content-length'];
  return length === undefined || Number(length) === 0;
}
