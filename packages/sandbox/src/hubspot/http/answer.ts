/** How a request becomes an answer, in this order: token, rate limits, body, scopes, endpoint. */
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import type { Reply } from '../../reply.ts';
import type { Sandbox } from '../../sandbox.ts';
import { authenticate, authorise } from '../auth/auth.ts';
import type { HubSpotEndpoint, HubSpotRequest } from './endpoint.ts';
import { HubSpotRefusal, malformed, refusalBody } from './refusal.ts';

/**
 * The answer of an endpoint to a request.
 * @param n number in the request log
 * @param path pattern of the endpoint that matched
 */
export async function answer(
  sandbox: Sandbox,
  endpoint: HubSpotEndpoint,
  n: number,
  path: string,
  request: Request,
): Promise<Reply> {
  const { hubspot: account } = sandbox;
  const { settings } = account;
  const grants = {
    token: sandbox.token,
    revokedTokens: settings.revoked_tokens,
    revokedScopes: settings.revoked_scopes,
    oauthEndOf: (token: string) => account.oauth.endOf(token),
  };
  let headers: Record<string, string> = { 'x-hubspot-correlation-id': randomUUID(), vary: 'origin, Accept-Encoding' };
  const call: HubSpotRequest = {
    account,
    settings,
    n,
    version: /\/(v\d|\d{4}-\d{2})(?=\/|$)/.exec(path)?.[1] ?? '',
    params: request.params as Record<string, string>,
    query: new URLSearchParams(request.originalUrl.split('?', 2)[1] ?? ''),
    bodyText: textOf(request),
    body: undefined,
  };
  try {
    if (endpoint.isOpen) return await endpoint.handle(call);
    const token = authenticate(request.headers.authorization, grants);
    // For OAuth apps no daily limit is published.
    const limits = account.oauth.endOf(token) === undefined ? settings.limits : { ...settings.limits, daily: null };
    const verdict = account.windows.take(token, endpoint.isSearch === true, { limits, forms: settings.forms });
    headers = { ...headers, ...verdict.headers };
    if (verdict.refused) return { ...verdict.refused, headers };
    call.body = bodyOf(request);
    authorise(endpoint.scopes(call), grants);
    const reply = await endpoint.handle(call);
    return { ...reply, headers: { ...headers, ...reply.headers } };
  } catch (error) {
    if (!(error instanceof HubSpotRefusal)) throw error;
    return { status: error.status, body: refusalBody(error, settings.forms), headers };
  }
}

/** @throws Refusal when there is a body that is not JSON */
function bodyOf(request: Request): unknown {
  const text = textOf(request);
  if (text === '') return undefined;
  if (!request.is('application/json')) {
    throw new HubSpotRefusal('Unsupported Media Type', { status: 415, category: 'VALIDATION_ERROR' });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('the body is no JSON');
  }
}

/** The body as it came; empty when there is none. */
export function textOf(request: Request): string {
  return Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
}
