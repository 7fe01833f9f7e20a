/**
 * `/live`: tells the pages that are open that something has moved (server-sent events, https://html.spec.whatwg.org/#server-sent-events).
 * A page then reads itself again; what is sent is how much is parked and dead, and a mark that is another one each time.
 *
 * A stream ends after half a minute and the browser comes again by itself, so that sign-in, role and client are looked at anew: one
 * whose session has ended gets no further. There are so many streams at most, for all and for each login.
 */
import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import { Router } from 'express';
import { queryOf } from '../routes/request.ts';
import { isInScope, scopeOf } from '../security/client-scope.ts';
import type { Watch } from './watch.ts';

/** Longest life of a stream. Below the time after which usual proxies end what is silent, so that nothing else has to be sent. */
const LASTS_MS = 30_000;
/** Ms after which a browser comes again once a stream has ended. */
const RETRY_MS = 1_000;
/** A hundred people with two windows each; each stream costs a socket and some kilobytes. */
const MAX_STREAMS = 200;
const MAX_PER_LOGIN = 10;
/** Seconds after which one that found no room may come again. */
const RETRY_AFTER_S = 30;

export interface LiveParts {
  watch: Watch;
  /** Ends all streams: the process stops. */
  stopping?: AbortSignal | undefined;
  /** For tests: other limits. */
  limits?: Partial<LiveLimits> | undefined;
}

export interface LiveLimits {
  streams: number;
  per_login: number;
  lasts: number;
}

export function liveRoutes({ watch, stopping, limits }: LiveParts): Router {
  const { streams, per_login, lasts } = { streams: MAX_STREAMS, per_login: MAX_PER_LOGIN, lasts: LASTS_MS, ...limits };
  const open = new Map<string, number>();
  let all = 0;

  const stream: RequestHandler = (request, response) => {
    const scope = scopeOf(response);
    const login = loginOf(request, response);
    const call = callOf(request);
    if (call && !isInScope(scope, call.source)) return void response.status(404).end();
    if (stopping?.aborted || all >= streams || (open.get(login) ?? 0) >= per_login) {
      return void response.status(503).set('retry-after', String(RETRY_AFTER_S)).end();
    }
    all += 1;
    open.set(login, (open.get(login) ?? 0) + 1);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // nginx holds back what it is sent until a buffer is full: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    const leave = watch.add({
      ...(scope.client === undefined ? {} : { client: scope.client }),
      call,
      send: ({ mark, parked, dead }) => {
        // A reader that has stopped reading gets it once it comes again.
        if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify({ mark, parked, dead })}\n\n`);
      },
    });
    const end = () => response.end();
    const timer = setTimeout(end, lasts);
    stopping?.addEventListener('abort', end);
    response.once('close', () => {
      leave();
      clearTimeout(timer);
      stopping?.removeEventListener('abort', end);
      all -= 1;
      const left = (open.get(login) ?? 1) - 1;
      if (left > 0) open.set(login, left);
      else open.delete(login);
    });
  };

  const router = Router();
  router.get('/live', stream);
  return router;
}

/** Whose stream it is: a session's, a login's, or, where there are none, that of an address. */
function loginOf(request: Request, response: Response): string {
  const { identity } = response.locals;
  const address = request.ip ?? '';
  return identity?.session?.id ?? identity?.principal.name ?? (isIP(address) ? address : '');
}

function callOf(request: Request): { source: string; call_id: string } | undefined {
  const [call_id, source] = [queryOf(request, 'call'), queryOf(request, 'source')];
  return call_id === undefined || source === undefined ? undefined : { source, call_id };
}
