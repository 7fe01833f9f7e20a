import { type Config, hasClientLogins } from '@wrapup/config';
import type { Intake } from '@wrapup/queue';
import {
  type HealthOptions,
  healthRoutes,
  type Logger,
  type Metrics,
  NO_TRACING,
  type Tracing,
  watchClients,
} from '@wrapup/telemetry';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { InFlight, shareOut } from './body/in-flight.ts';
import { HttpProblem } from './http/http-problem.ts';
import { makeProbes } from './http/probes.ts';
import { logProblems } from './http/problem-log.ts';
import { makeRequestHandlers } from './http/request-handler.ts';
import { sendJson, sendProblem } from './http/send.ts';
import { NEUTRAL } from './inbound/answer-inbound.ts';
import type { CallerLookup } from './inbound/caller-lookup.ts';
import { answerInboundCalls } from './inbound/inbound-call.ts';
import { DEFAULT_OPTIONS, type IngressOptions } from './options.ts';
import { receiveCalls } from './post-call/post-call.ts';

export interface IngressParts {
  /** Returns the current configuration; called on every request, so that a reload takes effect at once. */
  config: () => Config;
  intake: Intake;
  /** Finds the caller; without it inbound events are answered by rules that do not read the caller. */
  callers?: CallerLookup | undefined;
  log: Logger;
  metrics: Metrics;
  /** Default: no traces. */
  tracing?: Tracing;
  options?: Partial<IngressOptions>;
}

const POST_CALL = '/webhooks/:source/post-call';
const INBOUND_CALL = '/webhooks/:source/inbound-call';
const withToken = (path: string) => path.replace('/:source/', '/:source/:token/');

/** Bytes of bodies of inbound calls, besides those of webhooks: of some sixty at once, of which each has 200 bytes. */
const MAX_INBOUND_IN_FLIGHT = 4 * 1024 ** 2;

/** What `/readyz` and `/metrics` of ingress answer, on whichever port. */
export function observe({
  config,
  intake,
  metrics,
  options,
}: {
  config: () => Config;
  intake: Intake;
  metrics: Metrics;
  options: Pick<IngressOptions, 'metricsToken'>;
}): HealthOptions {
  const { metricsToken } = options;
  return { ready: () => intake.ready(), metrics, metricsToken, hasClientLogins: () => hasClientLogins(config()) };
}

function countBytes(metrics: Metrics, webhooks: InFlight, inbound: InFlight): void {
  metrics.gauge('ingress_in_flight_bytes', (gauge) => gauge.set(webhooks.used + inbound.used));
  metrics.gauge('ingress_unproved_bytes', (gauge) => gauge.set(webhooks.unproved + inbound.unproved));
}

/** Everything ingress answers. Listening and stopping are the caller's. */
export function createIngress(parts: IngressParts): Express {
  const { config, intake, callers, log, metrics, tracing = NO_TRACING, options: given } = parts;
  const options = { ...DEFAULT_OPTIONS, ...given };
  const inFlight = new InFlight(shareOut(options.maxInFlight, options.maxBody));
  const inboundInFlight = new InFlight(shareOut(MAX_INBOUND_IN_FLIGHT, MAX_INBOUND_IN_FLIGHT));
  countBytes(metrics, inFlight, inboundInFlight);
  watchClients(metrics, () => Object.values(config().clients));
  metrics.gauge('ingress_redis_memory_ratio', (gauge) => gauge.set(intake.memory));
  const problems = logProblems(log);
  const handlers = makeRequestHandlers(metrics, log, problems);
  const probes = makeProbes(metrics, log);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', options.trustedProxies);
  app.all(
    [POST_CALL, withToken(POST_CALL)],
    handlers.of(POST_CALL, receiveCalls({ config, intake, inFlight, options, probes, log, tracing })),
  );
  app.all(
    [INBOUND_CALL, withToken(INBOUND_CALL)],
    handlers.of(INBOUND_CALL, answerInboundCalls({ config, callers, inFlight: inboundInFlight, probes, log })),
  );
  app.use(healthRoutes(options.observable ? observe({ config, intake, metrics, options }) : {}));
  app.use(
    handlers.of('other', () => {
      throw new HttpProblem('no-such-path');
    }),
  );

  // Only what fails before a route is reached comes here: a path that cannot be decoded.
  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    if (request.method === 'POST' && /\/inbound-call\/?$/.test(request.path)) {
      return sendJson(response, NEUTRAL.status, NEUTRAL.body);
    }
    const problem = HttpProblem.of(error);
    problems.note('other', '', problem);
    sendProblem(request, response, problem);
  };
  app.use(onError);
  return app;
}
