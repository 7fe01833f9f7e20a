/**
 * Receives a finished call. The checks in their order, and why in this order:
 *
 * 404  source and path token     a stranger learns nothing and costs nothing
 * 503  client without sources    its file has errors and was never without
 * 200  empty body                a probe, which Synthflow sends when the URL is saved
 * 401  signature header missing  nothing of the body is read yet, unless a path token proves the sender
 * 415  type                      nothing of the body is read yet
 * 413  announced size            nothing of the body is read yet
 * 503  bytes in flight           from here on the body is read, and every chunk counted
 * 413  size so far               after decompression; little until the sender is proved
 * 408  speed                     ten seconds until the sender is proved
 * 400  JSON, depth, values       scanned chunk by chunk, parsed only at the end
 * 401  signature wrong           the id is read from the bytes, and its signature verified before they are parsed
 * 400  call id                   the parsed payload must hold the id that was verified
 * 503  Redis cannot store it
 * 202  accepted, 200 duplicate   Redis has the bytes and the job; 202 ignored: the call has the most revisions that are kept
 *
 * A body of an unknown shape is stored when its sender is proved: by the signature of a call id anywhere in it, or by the
 * path token alone, since events of chat agents have no call id that could be signed.
 */
import type { Config, Source } from '@wrapup/config';
import { type Accepted, type Arrival, type Intake, revisionOf } from '@wrapup/queue';
import { isOver, readSignature } from '@wrapup/synthflow';
import { clientAddress, type Logger, networkOf, type Tracing, trustConnection } from '@wrapup/telemetry';
import type { Request } from 'express';
import { requireJson } from '../body/check-type.ts';
import { collectBody } from '../body/collect-body.ts';
import { type InFlight, type Share, SMALL_BODY_BYTES } from '../body/in-flight.ts';
import { parseBody } from '../body/parse-body.ts';
import { Turns } from '../body/turns.ts';
import { findSource, mayBeUnusable } from '../http/find-source.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { isEmpty, type Probes } from '../http/probes.ts';
import type { HandleRequest, IngressAnswer } from '../http/request-handler.ts';
import { type CallIdentity, confirmIdentity, hasToken, requireProof, SenderProof } from './sender.ts';
import { storeCall } from './store-call.ts';
import { bytesToStore } from './stored-body.ts';
import { bytesOfUnrecognised } from './unrecognised.ts';

export interface PostCallParts {
  config: () => Config;
  intake: Intake;
  inFlight: InFlight;
  /** Bytes of one body after decompression, and milliseconds for storing a call. */
  options: { maxBody: number; storeWithin: number };
  probes: Probes;
  log: Logger;
  tracing: Tracing;
}

export function receiveCalls(parts: PostCallParts): HandleRequest {
  const { config, inFlight, probes } = parts;
  const turns = new Turns('Other large bodies are being stored.');
  return async (request, labels) => {
    const current = config();
    const name = request.params.source as string;
    const source = findSource(current, name, request.params.token as string | undefined);
    if (!source) throw new HttpProblem(mayBeUnusable(current, name) ? 'client-unusable' : 'unknown-source');
    labels.source = source.name;
    if (request.method === 'GET' || request.method === 'HEAD' || isEmpty(request)) {
      return probes.answer('post-call', request, source.name);
    }
    if (request.method !== 'POST') throw new HttpProblem('method-not-allowed');
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
  { intake, options, probes, log, tracing }: PostCallParts,
  turns: Turns,
  request: Request,
  source: Source,
  signature: string | undefined,
  share: Share,
): Promise<IngressAnswer> {
  const began = Date.now();
  const sender = new SenderProof(source, signature, share);
  const body = await collectBody(request, {
    limit: options.maxBody,
    share,
    examine: (bytes, end) => sender.examine(bytes, end),
  });
  if (body.length === 0) return probes.answer('post-call', request, source.name);
  const identity = sender.identify(body);
  if (share.proved) trustConnection(request.socket);
  const { call_id, verified, known } = identity;
  const call = { source: source.name, call_id };
  const { status, revision } = await inTurn(turns, body.length, options.storeWithin, async (within) => {
    const rest = { received: 'webhook', verified, received_at: Date.now() } as const;
    const stored = parseAndTrim(source, body, identity);
    const revision = revisionOf(stored.body);
    return { revision, status: await storeCall(intake, { ...call, ...stored, revision, ...rest }, within) };
  });
  if (tracing.isOn) traceWebhook(tracing, { ...call, revision }, status, began);
  log.debug({ source: source.name, call_id, verified, bytes: body.length }, status);
  const result = !known && status === 'accepted' ? 'unrecognised' : status;
  return { status: status === 'duplicate' ? 200 : 202, body: JSON.stringify({ status, call_id }), result };
}

/** A webhook that is taken begins the trace of its revision; what comes again belongs to it. @param began epoch ms */
function traceWebhook(
  tracing: Tracing,
  call: { source: string; call_id: string; revision: string },
  status: Accepted,
  began: number,
): void {
  const root = tracing.rootOf(call);
  const attributes = { 'wrapup.source': call.source, 'wrapup.call_id': call.call_id, 'wrapup.result': status };
  const place = status === 'accepted' ? { ref: root } : { parent: root };
  tracing.begin({ name: 'webhook', kind: 'server', at: began, ...place, attributes }).end();
}

/** Runs the work at once for small bodies, in turn for large ones. @param within ms for waiting and work together */
async function inTurn<T>(turns: Turns, bytes: number, within: number, work: (left: number) => Promise<T>): Promise<T> {
  if (bytes < SMALL_BODY_BYTES) return work(within);
  const begun = performance.now();
  const end = await turns.take(within);
  try {
    return await work(within - (performance.now() - begun));
  } finally {
    end();
  }
}

/**
 * Returns the bytes to store, and whether the call is over. The parsed payload is garbage afterwards: only bytes wait for
 * Redis.
 * @throws HttpProblem `not-json`, `no-call-id`
 */
function parseAndTrim(source: Source, body: Buffer, identity: CallIdentity): Pick<Arrival, 'body' | 'terminal'> {
  const payload = parseBody(body);
  confirmIdentity(identity, payload);
  const trim = identity.known ? bytesToStore : bytesOfUnrecognised;
  return { body: trim(source, body, payload), terminal: isOver(payload) };
}
