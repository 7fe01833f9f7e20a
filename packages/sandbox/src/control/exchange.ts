/**
 * How a request to any of the APIs is served: a fault that swallows it, latency, the answer, a fault that changes the
 * answer or loses it.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import type { Reply } from '../reply.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Act, ErrorBodies, RawReply } from './fault.ts';
import { actOf, commits, type FaultSpec, type FaultTarget, refuses } from './faults.ts';
import type { Open } from './request-log.ts';

/** Sockets of clients that wait for an answer that never comes. */
export type Hung = Set<Response>;

/** One request as its API understands it. */
export interface Exchange {
  api: string;
  /** Pattern of the path, for counting. */
  path: string;
  object?: string | undefined;
  operation: string;
  /** Rows of a batch. */
  inputs?: number | undefined;
  requestBody?: string;
  /** Milliseconds that the answer takes. */
  latency: number;
  errorBodies: ErrorBodies;
  /** Of a request that is several in one: what a fault can be about. */
  parts?: FaultTarget[] | undefined;
  /** Does what comes before the part that the fault is about. */
  begin?(n: number, fault: FaultSpec): Promise<void>;
  /** The fault as it is meant for this request; default: as it was set. */
  adapt?(fault: FaultSpec): FaultSpec;
  /** @param n number in the request log */
  answer(n: number, fault: FaultSpec | undefined): Reply | Promise<Reply>;
}

const JSON_HEADERS = { 'content-type': 'application/json;charset=utf-8' };

export async function serveExchange(
  sandbox: Sandbox,
  hung: Hung,
  exchange: Exchange,
  request: Request,
  response: Response,
): Promise<void> {
  const { api, path, object, operation, inputs, requestBody, errorBodies, parts } = exchange;
  const open = sandbox.requests.open({ api, method: request.method, path, object, operation });
  const taken = sandbox.faults.take({ api, method: request.method, path: request.originalUrl, object, parts });
  const log = {
    fault: taken?.kind,
    ...(inputs !== undefined && { inputs }),
    ...(requestBody !== undefined && { requestBody }),
  };
  const fault = taken && (exchange.adapt?.(taken) ?? taken);
  const act: Act | undefined = fault && actOf(fault, errorBodies);

  let reply: RawReply | undefined;
  if (!fault || commits(fault)) {
    if (act?.do === 'serve' && act.ms > 0) await pause(act.ms);
    if (act?.do === 'hold') await Promise.race([sandbox.faults.cleared(), once(response, 'close')]);
    if (exchange.latency > 0) await pause(exchange.latency);
    reply = rawReply(await exchange.answer(open.n, fault));
  } else if (!refuses(fault)) await exchange.begin?.(open.n, fault);
  const end = (status: number) => open.close({ ...log, status });
  switch (act?.do) {
    case 'hang':
      keep(hung, response);
      return end(0);
    case 'reset':
      request.socket.resetAndDestroy();
      return end(0);
    case 'cut':
    case 'stall':
      sendHalf(response, reply as RawReply);
      if (act.do === 'stall') keep(hung, response);
      else setImmediate(() => request.socket.resetAndDestroy());
      return end(0);
    case 'reply':
      return deliver(response, open, act.reply, log);
    default:
      return deliver(response, open, reply as RawReply, log);
  }
}

function keep(hung: Hung, response: Response): void {
  hung.add(response);
  response.once('close', () => hung.delete(response));
}

/** The headers announce all of the body; half of it comes. */
function sendHalf(response: Response, { status, headers, text }: RawReply): void {
  const bytes = Buffer.from(text);
  response
    .writeHead(status, { ...headers, 'content-length': Math.max(2, bytes.length) })
    .write(bytes.subarray(0, Math.max(1, bytes.length >> 1)).toString() || ' ');
}

function rawReply({ status, body, text = '', headers = {} }: Reply): RawReply {
  if (body === undefined) return { status, headers, text };
  return { status, headers: { ...JSON_HEADERS, ...headers }, text: JSON.stringify(body) };
}

function deliver(response: Response, open: Open, reply: RawReply, log: { requestBody?: string } & object): void {
  open.close({ ...log, status: reply.status, responseBody: reply.text });
  if (response.destroyed) return;
  const withBody = reply.status === 204 ? {} : { 'content-length': Buffer.byteLength(reply.text) };
  response.writeHead(reply.status, { ...reply.headers, ...withBody }).end(reply.text);
}
