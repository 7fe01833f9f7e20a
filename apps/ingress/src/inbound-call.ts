/**
 * Synthflow asks, while the phone rings, who is calling and which agent should take it.
 *
 * The event proves nothing about who asks, so the CRM is opened only to whoever holds the path token, or to everybody
 * where the configuration says `guard: none`. All else gets the neutral answer without a look-up. And whatever goes
 * wrong does: a caller is never hung up on by mistake.
 */
import type { Config, Inbound, Source } from '@wrapup/config';
import { Failure, withDeadline } from '@wrapup/destination';
import { scanJson } from '@wrapup/synthflow';
import { clientAddress, type Logger, LogThrottle, networkOf } from '@wrapup/telemetry';
import type { Request } from 'express';
import { Aborted, collectBody } from './collect-body.ts';
import type { Answer, Handle } from './exchange.ts';
import { findSource } from './find-source.ts';
import type { InFlight } from './in-flight.ts';
import { answerRinging, NEUTRAL } from './inbound/answer-ringing.ts';
import { type Callers, tooLate } from './inbound/callers.ts';
import { readRingingCall } from './inbound/ringing-call.ts';
import { parseBody } from './parse-body.ts';
import type { Probes } from './probe.ts';
import { Refusal } from './refusal.ts';

export interface InboundCallParts {
  config: () => Config;
  callers?: Callers | undefined;
  /** Of inbound calls alone, so that webhooks cannot take their room. */
  inFlight: InFlight;
  probes: Probes;
  log: Logger;
}

/** Bytes; the event has some two hundred. */
const LARGEST = 64 * 1024;

export function answerInboundCalls(parts: InboundCallParts): Handle {
  const { config, probes } = parts;
  const note = logFailures(parts.log);
  return async (request, seen) => {
    if (request.method !== 'POST') {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal('method-not-allowed');
      const source = sourceOf(config(), request);
      if (!source) throw new Refusal('unknown-source');
      seen.source = source.name;
      return probes.answer('inbound-call', request, source.name);
    }
    try {
      const current = config();
      const source = sourceOf(current, request);
      if (source) seen.source = source.name;
      const inbound = source?.inbound;
      if (!source || !inbound || !mayTell(inbound, source)) return NEUTRAL;
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
      note(seen.source, error);
      return NEUTRAL;
    }
  };
}

function sourceOf(config: Config, request: Request): Source | undefined {
  return findSource(config, request.params.source as string, request.params.token as string | undefined);
}

/** A source that has a path token was only found by it. */
function mayTell(inbound: Inbound, source: Source): boolean {
  return inbound.guard === 'none' || source.path_token.some(Boolean);
}

async function answer(
  request: Request,
  source: Source,
  inbound: Inbound,
  { until, signal }: { until: number; signal: AbortSignal },
  { callers, inFlight }: InboundCallParts,
  note: (source: string, error: unknown) => void,
): Promise<Answer> {
  const share = inFlight.open(networkOf(clientAddress(request)), source.path_token.some(Boolean));
  let payload: unknown;
  try {
    const body = await collectBody(request, { limit: LARGEST, share, signal });
    if (scanJson(body)) return NEUTRAL;
    payload = parseBody(body);
  } finally {
    share.release();
  }
  const call = readRingingCall(payload, source);
  if (!call) return NEUTRAL;
  const onFailure = (error: unknown) => note(source.name, error);
  return answerRinging(call, until - Date.now(), { inbound, callers, onFailure });
}

/** One line a second of each kind: an outage may not fill the disk. Every look-up is in the metrics. */
function logFailures(log: Logger): (source: string, error: unknown) => void {
  const throttle = new LogThrottle(1_000);
  return (source, error) => {
    const code = error instanceof Refusal ? error.code : Failure.of(error).code;
    const left_out = throttle.admit(`${source} ${code}`);
    if (left_out === undefined) return;
    const fields = { ...(source && { source }), code, ...(left_out > 0 && { left_out }) };
    log.warn({ ...fields, err: error }, 'an inbound call was answered without its caller');
  };
}
