/**
 * Answers Synthflow's inbound event: who is calling, and which agent should take the call.
 *
 * The event does not prove its sender, so CRM data is given only on the right path token, or where the configuration says
 * `guard: none`. Every other request gets the neutral answer without a look-up, and so does every failure: no call is
 * declined by mistake.
 */
import type { Config, Inbound, Source } from '@wrapup/config';
import { Failure, withDeadline } from '@wrapup/destination';
import { scanJson } from '@wrapup/synthflow';
import { clientAddress, type Logger, LogThrottle, networkOf } from '@wrapup/telemetry';
import type { Request } from 'express';
import { collectBody } from '../body/collect-body.ts';
import type { InFlight } from '../body/in-flight.ts';
import { parseBody } from '../body/parse-body.ts';
import { findSource } from '../http/find-source.ts';
import { Aborted, HttpProblem } from '../http/http-problem.ts';
import type { Probes } from '../http/probes.ts';
import type { HandleRequest, IngressAnswer } from '../http/request-handler.ts';
import { answerInbound, NEUTRAL } from './answer-inbound.ts';
import { type CallerLookup, tooLate } from './caller-lookup.ts';
import { readInboundEvent } from './inbound-event.ts';

export interface InboundCallParts {
  config: () => Config;
  callers?: CallerLookup | undefined;
  /** Of inbound events alone, so that webhooks cannot take their room. */
  inFlight: InFlight;
  probes: Probes;
  log: Logger;
}

/** The event has some two hundred bytes. */
const MAX_EVENT_BYTES = 64 * 1024;

export function answerInboundCalls(parts: InboundCallParts): HandleRequest {
  const { config, probes } = parts;
  const note = logFailures(parts.log);
  return async (request, labels) => {
    if (request.method !== 'POST') {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpProblem('method-not-allowed');
      const source = sourceOf(config(), request);
      if (!source) throw new HttpProblem('unknown-source');
      labels.source = source.name;
      return probes.answer('inbound-call', request, source.name);
    }
    try {
      const current = config();
      const source = sourceOf(current, request);
      if (source) labels.source = source.name;
      const inbound = source?.inbound;
      if (!source || !inbound || !maySeeCrm(inbound, source)) return NEUTRAL;
      const until = Date.now() + inbound.within;
      const late = new AbortController();
      try {
        return await withDeadline(
          answer(request, source, inbound, { until, signal: late.signal }, parts, note),
          inbound.within,
          tooLate,
        );
      } finally {
        late.abort(new Aborted('answered before its body was complete'));
      }
    } catch (error) {
      note(labels.source, error);
      return NEUTRAL;
    }
  };
}

function sourceOf(config: Config, request: Request): Source | undefined {
  return findSource(config, request.params.source as string, request.params.token as string | undefined);
}

/** A source with a path token is found by that token only. */
function maySeeCrm(inbound: Inbound, source: Source): boolean {
  return inbound.guard === 'none' || source.path_token.some(Boolean);
}

async function answer(
  request: Request,
  source: Source,
  inbound: Inbound,
  { until, signal }: { until: number; signal: AbortSignal },
  { callers, inFlight }: InboundCallParts,
  note: (source: string, error: unknown) => void,
): Promise<IngressAnswer> {
  const share = inFlight.open(networkOf(clientAddress(request)), source.path_token.some(Boolean));
  let payload: unknown;
  try {
    const body = await collectBody(request, { limit: MAX_EVENT_BYTES, share, signal });
    if (scanJson(body)) return NEUTRAL;
    payload = parseBody(body);
  } finally {
    share.release();
  }
  const call = readInboundEvent(payload, source);
  if (!call) return NEUTRAL;
  const onFailure = (error: unknown) => note(source.name, error);
  return answerInbound(call, until - Date.now(), { inbound, callers, onFailure });
}

/** Logs one line a second of each kind, so that an outage does not fill the disk. Metrics count every look-up. */
function logFailures(log: Logger): (source: string, error: unknown) => void {
  const throttle = new LogThrottle(1_000);
  return (source, error) => {
    const code = error instanceof HttpProblem ? error.code : Failure.of(error).code;
    const left_out = throttle.admit(`${source} ${code}`);
    if (left_out === undefined) return;
    const fields = { ...(source && { source }), code, ...(left_out > 0 && { left_out }) };
    log.warn({ ...fields, err: error }, 'an inbound call was answered without its caller');
  };
}
