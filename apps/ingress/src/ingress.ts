import type { Config } from '@wrapup/config';
import type { Intake } from '@wrapup/queue';
import { type HealthOptions, healthRoutes, type Logger, type Metrics } from '@wrapup/telemetry';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { makeExchanges } from './exchange.ts';
import { InFlight, shareOut } from './in-flight.ts';
import { NEUTRAL } from './inbound/answer-ringing.ts';
import type { Callers } from './inbound/callers.ts';
import { answerInboundCalls } from './inbound-call.ts';
import { DEFAULT_OPTIONS, type IngressOptions } from './options.ts';
import { receiveCalls } from './post-call.ts';
import { makeProbes } from './probe.ts';
import { Refusal } from './refusal.ts';
import { logRefusals } from './refusal-log.ts';
import { sendJson, sendRefusal } from './send.ts';

export interface IngressParts {
  /** The configuration as it is now; asked on every request, so that a reload takes effect at once. */
  config: () => Config;
  intake: Intake;
  /** Looks up who is calling; without it inbound calls are answered by rules that do not ask. */
  callers?: Callers | undefined;
  log: Logger;
  metrics: Metrics;
  options?: Partial<IngressOptions>;
}

const POST_CALL = '/webhooks/:source/post-call';
const INBOUND_CALL = '/webhooks/:source/inbound-call';
const withToken = (path: string) => path.replace('/:source/', '/:source/:token/');

/** Bytes of bodies of inbound calls, besides those of webhooks: of some sixty at once, of which each has 200 bytes. */
const MAX_INBOUND_IN_FLIGHT = 4 * 1024 ** 2;

/** What `/readyz` and `/metrics` of ingress answer, on whichever port. */
export function observe({
  intake,
  metrics,
  options,
}: {
  intake: Intake;
  metrics: Metrics;
  options: Pick<IngressOptions, 'metricsToken'>;
}): HealthOptions {
  return { ready: () => intake.ready(), metrics, metricsToken: options.metricsToken };
}

function countBytes(metrics: Metrics, webhooks: InFlight, inbound: InFlight): void {
  metrics.gauge('ingress_in_flight_bytes', 'Bytes of bodies being received or stored', [], (gauge) =>
    gauge.set(webhooks.used + inbound.used),
  );
  metrics.gauge('ingress_unproved_bytes', 'Of these, bytes of senders that are not proved', [], (gauge) =>
    gauge.set(webhooks.unproved + inbound.unproved),
  );
}

/** Everything ingress answers. Listening and stopping are the caller's. */
export function createIngress({ config, intake, callers, log, metrics, options: given }: IngressParts): Express {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const inFlight = new InFlight(shareOut(options.maxInFlight, options.maxBody));
  const inboundInFlight = new InFlight(shareOut(MAX_INBOUND_IN_FLIGHT, MAX_INBOUND_IN_FLIGHT));
  countBytes(metrics, inFlight, inboundInFlight);
  metrics.gauge(
    'ingress_redis_memory_ratio',
    'Part of Redis’ maxmemory in use when last looked; above 0.9 no call is taken',
    [],
    (gauge) => gauge.set(intake.memory),
  );
  const refusals = logRefusals(log);
  const exchanges = makeExchanges(metrics, log, refusals);
  const probes = makeProbes(metrics, log);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', options.trustedProxies);
  app.all(
    [POST_CALL, withToken(POST_CALL)],
    exchanges.of(POST_CALL, receiveCalls({ config, intake, inFlight, options, probes, log })),
  );
  app.all(
    [INBOUND_CALL, withToken(INBOUND_CALL)],
    exchanges.of(INBOUND_CALL, answerInboundCalls({ config, callers, inFlight: inboundInFlight, probes, log })),
  );
  app.use(healthRoutes(options.observable ? observe({ intake, metrics, options }) : {}));
  app.use(
    exchanges.of('other', () => {
      throw new Refusal('no-such-path');
    }),
  );

  // Only what fails before a route is reached comes here: a path that cannot be decoded.
  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    if (request.method === 'POST' && /\/inbound-call\/?$/.test(request.path)) {
      return sendJson(response, NEUTRAL.status, NEUTRAL.body);
    }
    const refusal = Refusal.of(error);
    refusals.note('other', '', refusal);
    sendRefusal(request, response, refusal);
  };
  app.use(onError);
  return app;
}
