import type { IncomingMessage } from 'node:http';
import type { Logger, Metrics } from '@wrapup/telemetry';
import type { Answer } from './exchange.ts';

export interface Probes {
  /** Counts and logs a request that carries no event, and says that somebody is here. */
  answer(event: string, request: IncomingMessage, source: string): Answer;
}

export function makeProbes(metrics: Metrics, log: Logger): Probes {
  const probes = metrics.counter('ingress_probes_total', 'Requests without an event: GET, HEAD, empty POST', [
    'source',
    'event',
    'method',
  ]);
  return {
    answer(event, request, source) {
      const method = request.method ?? '';
      probes.inc({ source, event, method });
      log.info({ source, event, method }, 'somebody looked whether this URL answers');
      return { status: 200, body: '{"status":"ok"}', result: 'probe' };
    },
  };
}

/** A POST that announces no body. A chunked one may turn out to be empty as well, which shows only when it is read. */
export function isEmpty(request: IncomingMessage): boolean {
  if (request.method !== 'POST' || request.headers['transfer-encoding'] !== undefined) return false;
  const length = request.headers['content-length'];
  return length === undefined || Number(length) === 0;
}
