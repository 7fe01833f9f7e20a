import type { Logger, Metrics } from '@wrapup/telemetry';
import type { Request, RequestHandler } from 'express';
import { Aborted, HttpProblem } from './http-problem.ts';
import type { ProblemLog } from './problem-log.ts';
import { sendJson, sendProblem } from './send.ts';

/** The answer to the sender, as JSON. */
export interface IngressAnswer {
  status: number;
  body: string;
  /** For the metrics: `accepted`, `duplicate`, `neutral`, `probe`. */
  result: string;
}

/** Filled in while a request is handled, for logs and metrics. Only names from the configuration, never from the path. */
export interface RequestLabels {
  source: string;
}

/** @throws HttpProblem, Aborted */
export type HandleRequest = (request: Request, labels: RequestLabels) => IngressAnswer | Promise<IngressAnswer>;

export interface RequestHandlers {
  /** Answers requests of one route, and counts and times them under the route's pattern. */
  of(route: string, handle: HandleRequest): RequestHandler;
}

export function makeRequestHandlers(metrics: Metrics, log: Logger, problems: ProblemLog): RequestHandlers {
  const requests = metrics.counter('ingress_requests_total');
  const seconds = metrics.histogram('ingress_request_seconds');

  return {
    of(route, handle) {
      const timed = seconds.labels(route);
      /** By source and result, names of our own: labels are hashed for each look-up. */
      const counters = new Map<string, ReturnType<typeof requests.labels>>();
      return async (request, response) => {
        const start = performance.now();
        const labels: RequestLabels = { source: '' };
        let result: string;
        try {
          const answer = await handle(request, labels);
          result = answer.result;
          sendJson(response, answer.status, answer.body);
        } catch (error) {
          if (error instanceof Aborted) {
            result = 'aborted';
            log.debug(
              { route, source: labels.source },
              'the sender closed the connection before its body was complete',
            );
            response.destroy();
          } else {
            const problem = HttpProblem.of(error);
            result = problem.code;
            problems.note(route, labels.source, problem);
            sendProblem(request, response, problem);
          }
        }
        const key = `${labels.source} ${result}`;
        const counter = counters.get(key) ?? requests.labels(route, labels.source, result);
        counters.set(key, counter);
        counter.inc();
        timed.observe((performance.now() - start) / 1000);
      };
    },
  };
}
