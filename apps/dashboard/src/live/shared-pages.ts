/**
 * Pages that are read again because something has moved (`x-live: <mark>`). Many look at one page, and all of them hear of it at the same
 * time: for one mark it is made once, and given to all who may see the same of it.
 */
import { gzipSync } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { zoneOf } from '../queries/time-range.ts';
import { scopeOf } from '../security/client-scope.ts';
import { roleOf } from '../security/rights.ts';

/** Pages that are kept, and ms for which one is. */
const [MOST, KEPT_MS] = [100, 15_000];

interface SharedPage {
  at: number;
  /** Undefined where it became none: another asks again. */
  made: Promise<Buffer | undefined>;
}

/** The mark for which a page is read again; undefined where a person has opened it. */
export function liveMark(request: Request): string | undefined {
  const mark = request.get('x-live');
  return mark !== undefined && /^[\w-]{1,32}$/.test(mark) ? mark : undefined;
}

export function sharePages(now: () => number = Date.now): RequestHandler {
  const pages = new Map<string, SharedPage>();
  return (request, response, next) => {
    const mark = request.method === 'GET' ? liveMark(request) : undefined;
    if (mark === undefined) return next();
    const key = keyOf(request, response, mark);
    const known = pages.get(key);
    if (known && now() - known.at < KEPT_MS) {
      known.made.then((page) => (page ? answer(response, page) : next()), next);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    pages.delete(key);
    pages.set(key, { at: now(), made: promise });
    const [oldest] = pages.keys();
    if (pages.size > MOST && oldest !== undefined) pages.delete(oldest);
    const send = response.send.bind(response);
    response.send = (body) => {
      response.send = send;
      if (response.statusCode !== 200 || typeof body !== 'string') return send(body);
      const page = gzipSync(body);
      resolve(page);
      return answer(response, page);
    };
    response.once('close', () => {
      resolve(undefined);
      promise.then((page) => page ?? pages.delete(key));
    });
    next();
  };
}

/** What decides what a page says and which buttons it has. */
function keyOf(request: Request, response: Response, mark: string): string {
  const { client, isBound } = scopeOf(response);
  return JSON.stringify([mark, request.originalUrl, client, isBound, roleOf(response), zoneOf(request)]);
}

/** Browsers, which alone ask so, take gzip. */
function answer(response: Response, page: Buffer): Response {
  return response.set('content-encoding', 'gzip').type('html').send(page);
}
