import type { Logger, Metrics } from '@wrapup/telemetry';
import type { Request, RequestHandler } from 'express';
import { Aborted } from './collect-body.ts';
import { Refusal } from './refusal.ts';
import type { RefusalLog } from './refusal-log.ts';
import { sendJson, sendRefusal } from './send.ts';

/** What is said to the sender, as JSON. */
export interface Answer {
  status: number;
  body: string;
  /** For the metrics: `accepted`, `duplicate`, `neutral`, `probe`. */
  result: string;
}

/** Filled in while a request is understood, for logs and metrics. Only names from the configuration, never from the path. */
export interface Seen {
  source: string;
}

/** @throws Refusal, Aborted */
export type Handle = (request: Request, seen: Seen) => Answer | Promise<Answer>;

export interface Exchanges {
  /** Answers requests of one route, and counts and times them under the route's pattern. */
  of(route: string, handle: Handle): RequestHandler;
}

export function makeExchanges(metrics: Metrics, log: Logger, refusals: RefusalLog): Exchanges {
  const requests = metrics.counter('ingress_requests_total', 'Requests by what became of them', [
    'route',
    'source',
    'result',
  ]);
  const seconds = metrics.histogram('ingress_request_seconds', 'Time from the request line to the answer', ['route']);

  return {
    of(route, handle) {
      const timed = seconds.labels(route);
      return async (request, response) => {
        const start = performance.now();
        const seen: Seen = { source: '' };
        let result: string;
        try {
          const answer = await handle(request, seen);
          result = answer.result;
          sendJson(response, answer.status, answer.body);
        } catch (error) {
          if (error instanceof Aborted) {
            result = 'aborted';
            log.debug({ route, source: seen.source }, 'the sender went away before its body was complete');
            response.destroy();
          } else {
            const refusal = Refusal.of(error);
            result = refusal.code;
            refusals.note(route, seen.source, refusal);
            sendRefusal(request, response, refusal);
          }
        }
        requests.inc({ route, source: seen.source, result });
        timed.observe((performance.now() - start) / 1000);
      };
    },
  };
}
