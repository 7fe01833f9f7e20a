import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';

/**
 * Over TLS the name has the prefix `__Host-`, with which browsers take a cookie from this host alone (RFC 6265bis
 * §4.1.3.2): a sibling site can set none in its place. Over plain HTTP, which is for loopback, browsers refuse that.
 */
function nameOf(request: Request): string {
  return request.secure ? '__Host-wrapup_session' : 'wrapup_session';
}

export function readSessionCookie(request: Request): string | undefined {
  return parseCookie(request.headers.cookie ?? '')[nameOf(request)];
}

/** @param expiresAt epoch ms */
export function setSessionCookie(request: Request, response: Response, token: string, expiresAt: number): void {
  response.cookie(nameOf(request), token, { ...attributesOf(request), expires: new Date(expiresAt) });
}

export function clearSessionCookie(request: Request, response: Response): void {
  response.clearCookie(nameOf(request), attributesOf(request));
}

/** Between the two steps of a sign-on elsewhere. The way back comes from another site, which `Strict` would not let through. */
const SIGN_ON = { name: 'wrapup_sign_on', maxAge: 10 * 60_000 };
const signOnName = (request: Request) => (request.secure ? `__Host-${SIGN_ON.name}` : SIGN_ON.name);

export function setSignOnCookie(request: Request, response: Response, text: string): void {
  response.cookie(signOnName(request), text, { ...attributesOf(request), sameSite: 'lax', maxAge: SIGN_ON.maxAge });
}

/** Reads it, this once. */
export function takeSignOnCookie(request: Request, response: Response): string | undefined {
  response.clearCookie(signOnName(request), { ...attributesOf(request), sameSite: 'lax' });
  return parseCookie(request.headers.cookie ?? '')[signOnName(request)];
}

/** `secure` is the socket's own TLS, or the word of a trusted proxy (`DASHBOARD_TRUSTED_PROXY`). */
function attributesOf(request: Request) {
  return { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/' } as const;
}
