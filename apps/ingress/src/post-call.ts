/**
 * A finished call comes in. What is decided, in this order, and why in this order:
 *
 * 404  source and path token     strangers learn nothing and cost nothing
 * 200  empty body                a probe, sent when somebody saves the URL at Synthflow
 * 401  signature header missing  still nothing of the body is read, unless a path token says that the sender is no stranger
 * 415  type                      neither here
 * 413  announced size            neither here
 * 503  bytes in flight           from here on the body comes in, and every chunk is counted
 * 413  size as it comes          after decompression
 * 400  JSON, call id             the signature is over the call id, so it must be found first
 * 401  signature missing, wrong
 * 503  Redis cannot take it
 * 202  accepted, 200 duplicate   Redis has the bytes and the job
 *
 * A body of no known shape is kept when its sender is proved: by the signature of a call id that stands somewhere in it,
 * or by the path token alone, since events of chat agents have no call id that could be signed.
 */
import type { Config, Source } from '@wrapup/config';
import type { Intake, Verified } from '@wrapup/queue';
import { isOver, readCallId, readSignature, verifySignature } from '@wrapup/synthflow';
import type { Logger } from '@wrapup/telemetry';
import type { Request } from 'express';
import { requireJson } from './check-type.ts';
import { collectBody } from './collect-body.ts';
import type { Answer, Handle } from './exchange.ts';
import { findSource } from './find-source.ts';
import type { InFlight, Share } from './in-flight.ts';
import { bytesToKeep } from './keep.ts';
import type { IngressOptions } from './options.ts';
import { parseBody } from './parse-body.ts';
import { isEmpty, type Probes } from './probe.ts';
import { Refusal } from './refusal.ts';
import { storeCall } from './store-call.ts';
import { bytesOfUnrecognised, findCallIds, idOfBytes } from './unrecognised.ts';

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
  return async (request, seen) => {
    const source = findSource(config(), request.params.source as string, request.params.token as string | undefined);
    if (!source) throw new Refusal('unknown-source');
    seen.source = source.name;
    if (request.method === 'GET' || request.method === 'HEAD' || isEmpty(request)) {
      return probes.answer('post-call', request, source.name);
    }
    if (request.method !== 'POST') throw new Refusal('method-not-allowed');
    const signature = readSignature(request.headers);
    if (signature === undefined && source.trust === 'signature' && !hasToken(source)) {
      throw new Refusal('signature-missing');
    }
    requireJson(request.headers['content-type']);

    const share = inFlight.open();
    try {
      return await receive(parts, request, source, signature, share);
    } finally {
      share.release();
    }
  };
}

async function receive(
  { intake, options, probes, log }: PostCallParts,
  request: Request,
  source: Source,
  signature: string | undefined,
  share: Share,
): Promise<Answer> {
  const body = await collectBody(request, options.maxBody, share);
  if (body.length === 0) return probes.answer('post-call', request, source.name);
  const payload = parseBody(body);
  const known = readCallId(payload);
  const { call_id, verified } =
    known === undefined
      ? prove(source, body, payload, signature)
      : { call_id: known, verified: verify(source, known, signature) };
  const status = await storeCall(
    intake,
    {
      source: source.name,
      call_id,
      body: known === undefined ? bytesOfUnrecognised(source, body, payload) : bytesToKeep(source, body, payload),
      received: 'webhook',
      verified,
      received_at: Date.now(),
      terminal: isOver(payload),
    },
    options.storeWithin,
  );
  log.debug({ source: source.name, call_id, verified, bytes: body.length }, status);
  const result = known === undefined && status === 'accepted' ? 'unrecognised' : status;
  return { status: status === 'duplicate' ? 200 : 202, body: JSON.stringify({ status, call_id }), result };
}

/** A source that has a path token was only found by it. */
function hasToken(source: Source): boolean {
  return source.path_token.some(Boolean);
}

/**
 * Under which id a body of no known shape is kept, and what proves its sender.
 * @throws Refusal `no-call-id`, `signature-missing`, `signature-wrong`
 */
function prove(
  source: Source,
  body: Buffer,
  payload: unknown,
  signature: string | undefined,
): { call_id: string; verified: Verified } {
  const ids = findCallIds(payload);
  const signed = ids.find((callId) => verifySignature({ callId, secrets: source.webhook_secrets, header: signature }));
  if (signed !== undefined) return { call_id: signed, verified: 'signature' };
  if (hasToken(source)) return { call_id: idOfBytes(body), verified: 'none' };
  const [first] = ids;
  if (first === undefined) throw new Refusal('no-call-id');
  return { call_id: first, verified: verify(source, first, signature) };
}

/**
 * What proves the sender. Where nothing has to, a signature may be absent but not wrong; without secrets nothing can be
 * said about it.
 * @throws Refusal `signature-missing`, `signature-wrong`
 */
function verify(source: Source, callId: string, signature: string | undefined): Verified {
  if (signature === undefined) {
    if (source.trust === 'signature') throw new Refusal('signature-missing');
    return 'none';
  }
  const secrets = source.webhook_secrets;
  if (verifySignature({ callId, secrets, header: signature })) return 'signature';
  if (source.trust === 'signature' || secrets.some(Boolean)) throw new Refusal('signature-wrong');
  return 'none';
}
