import type { Request, RequestHandler, Response } from 'express';
import { type CheckPassword, readBasic } from './password.ts';
import type { Identify, RequestIdentity } from './principal.ts';
import { readSessionCookie, setSessionCookie } from './session-cookie.ts';
import type { Sessions } from './sessions.ts';

const BASIC_CHALLENGE = 'Basic realm="Wrapup", charset="UTF-8"';
/** draft-broyer-http-cookie-auth: a scheme that no browser opens a dialog for. */
const COOKIE_CHALLENGE = 'Cookie realm="Wrapup", form-action="/login"';

/** By a session, which costs no delay, else by HTTP Basic (scripts, the command line). */
export function makeIdentify(sessions: Sessions, checkPassword: CheckPassword): Identify {
  return async (request) => {
    const session = await sessions.read(readSessionCookie(request));
    if (session) return { principal: session.principal, session };
    const given = readBasic(request);
    const principal = given && (await checkPassword(request, given));
    return principal && { principal };
  };
}

export interface IdentityParts {
  identify: Identify;
  sessions: Sessions;
  /** Answers a request of an unknown sender, with a status of its own set already. */
  refuse: (request: Request, response: Response, why: string) => void;
}

/**
 * Lets requests of known senders through, with `response.locals.identity` set. A browser that asks for a page is sent to
 * `/login`; everything else gets 401.
 */
export function requireIdentity({ identify, sessions, refuse }: IdentityParts): RequestHandler {
  return async (request, response, next) => {
    const identity = await identify(request);
    if (!identity) return challenge(request, response, refuse);
    response.locals.identity = identity;
    await renew(identity, sessions, request, response);
    next();
  };
}

/** Only what a person asks for prolongs a session: an open queue board polls for as long as its tab is open. */
async function renew(
  { session }: RequestIdentity,
  sessions: Sessions,
  request: Request,
  response: Response,
): Promise<void> {
  if (!session || !asksForPage(request)) return;
  const renewed = await sessions.renew(session);
  if (renewed) setSessionCookie(request, response, renewed.token, renewed.session.expires_at);
}

function challenge(request: Request, response: Response, refuse: IdentityParts['refuse']): void {
  const hasTried = request.headers.authorization !== undefined;
  if (asksForPage(request) && !hasTried) {
    response.redirect(303, loginPath(request));
    return;
  }
  response.status(401).set('www-authenticate', isFromPage(request) ? COOKIE_CHALLENGE : BASIC_CHALLENGE);
  refuse(request, response, hasTried ? 'User or password is wrong.' : 'The dashboard asks for a user and a password.');
}

/** A navigation of a browser; scripts that accept anything are none. */
function asksForPage(request: Request): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '');
}

/** A request that a page's script sent. */
function isFromPage(request: Request): boolean {
  return request.headers['sec-fetch-site'] !== undefined && !asksForPage(request);
}

/** `/login`, with the way back to a page that was only to be read; a form that was sent is not sent again. */
function loginPath(request: Request): string {
  if (request.method !== 'GET' && request.method !== 'HEAD') return '/login?did=unsent';
  return request.originalUrl === '/' ? '/login' : `/login?${new URLSearchParams({ next: request.originalUrl })}`;
}
