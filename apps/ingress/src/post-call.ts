/**
 * A finished call comes in. What is decided, in this order, and why in this order:
 *
 * 404  source and path token     strangers learn nothing and cost nothing
 * 200  empty body                a probe, sent when somebody saves the URL at Synthflow
 * 401  signature header missing  still nothing of the body is read, unless a path token proves the sender
 * 415  type                      neither here
 * 413  announced size            neither here
 * 503  bytes in flight           from here on the body comes in, and every chunk is counted
 * 413  size as it comes          after decompression; little until the sender is proved
 * 408  speed                     ten seconds until the sender is proved
 * 400  JSON, depth, values       scanned as it comes, parsed only at the end
 * 401  signature wrong           the id is read out of the bytes, and its signature checked before they are parsed
 * 400  call id                   the parsed payload must say the id that was verified
 * 503  Redis cannot take it
 * 202  accepted, 200 duplicate   Redis has the bytes and the job; 202 ignored: this call has all that is kept of one
 *
 * A body of no known shape is kept when its sender is proved: by the signature of a call id that stands somewhere in it,
 * or by the path token alone, since events of chat agents have no call id that could be signed.
 */
import type { Config, Source } from '@wrapup/config';
import type { Arrival, Intake } from '@wrapup/queue';
import { isOver, readSignature } from '@wrapup/synthflow';
import { clientAddress, type Logger, networkOf, trustConnection } from '@wrapup/telemetry';
import type { Request } from 'express';
import { requireJson } from './check-type.ts';
import { collectBody } from './collect-body.ts';
import type { Answer, Handle } from './exchange.ts';
import { findSource } from './find-source.ts';
import { type InFlight, type Share, SMALL_BODY } from './in-flight.ts';
import { bytesToKeep } from './keep.ts';
import type { IngressOptions } from './options.ts';
import { parseBody } from './parse-body.ts';
import { isEmpty, type Probes } from './probe.ts';
import { Refusal } from './refusal.ts';
import { confirmIdentity, hasToken, type Identity, requireProof, Sender } from './sender.ts';
import { storeCall } from './store-call.ts';
import { Turns } from './turns.ts';
import { bytesOfUnrecognised } from './unrecognised.ts';

export interface PostCallParts {
  config: () => Config;
  intake: Intake;
  inFlight: InFlight;
  options: IngressOptions;
  probes: Probes;
  log: Logger;
}

export function receiveCalls(parts: PostCallParts): Handle {
  const { config, inFlight, probes } = parts;
  const turns = new Turns('Other large bodies are being stored.');
  return async (request, seen) => {
    const source = findSource(config(), request.params.source as string, request.params.token as string | undefined);
    if (!source) throw new Refusal('unknown-source');
    seen.source = source.name;
    if (request.method === 'GET' || request.method === 'HEAD' || isEmpty(request)) {
      return probes.answer('post-call', request, source.name);
    }
    if (request.method !== 'POST') throw new Refusal('method-not-allowed');
    const signature = readSignature(request.headers);
    requireProof(source, signature);
    requireJson(request.headers['content-type']);

    const share = inFlight.open(networkOf(clientAddress(request)), hasToken(source));
    try {
      return await receive(parts, turns, request, source, signature, share);
    } finally {
      share.release();
    }
  };
}

async function receive(
  { intake, options, probes, log }: PostCallParts,
  turns: Turns,
  request: Request,
  source: Source,
  signature: string | undefined,
  share: Share,
): Promise<Answer> {
  const sender = new Sender(source, signature, share);
  const body = await collectBody(request, {
    limit: options.maxBody,
    share,
    examine: (bytes, end) => sender.examine(bytes, end),
  });
  if (body.length === 0) return probes.answer('post-call', request, source.name);
  const identity = sender.identify(body);
  if (share.proved) trustConnection(request.socket);
  const { call_id, verified, known } = identity;
  const status = await inTurn(turns, body.length, options.storeWithin, (within) => {
    const rest = { received: 'webhook', verified, received_at: Date.now() } as const;
    return storeCall(
      intake,
      { source: source.name, call_id, ...parseAndTrim(source, body, identity), ...rest },
      within,
    );
  });
  log.debug({ source: source.name, call_id, verified, bytes: body.length }, status);
  const result = !known && status === 'accepted' ? 'unrecognised' : status;
  return { status: status === 'duplicate' ? 200 : 202, body: JSON.stringify({ status, call_id }), result };
}

/** Runs at once for small bodies, for large ones when it is their turn. @param within ms for waiting and work together */
async function inTurn<T>(turns: Turns, bytes: number, within: number, work: (left: number) => Promise<T>): Promise<T> {
  if (bytes < SMALL_BODY) return work(within);
  const begun = performance.now();
  const end = await turns.take(within);
  try {
    return await work(within - (performance.now() - begun));
  } finally {
    end();
  }
}

/**
 * What the parsed payload is needed for: the bytes to be stored, and whether the call is over. It lives no longer than
 * this: what waits for Redis is bytes alone.
 * @throws Refusal `not-json`, `no-call-id`
 */
function parseAndTrim(source: Source, body: Buffer, identity: Identity): Pick<Arrival, 'body' | 'terminal'> {
  const payload = parseBody(body);
  confirmIdentity(identity, payload);
  const trim = identity.known ? bytesToKeep : bytesOfUnrecognised;
  return { body: trim(source, body, payload), terminal: isOver(payload) };
}
