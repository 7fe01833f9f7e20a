/** The Salesforce APIs over HTTP: REST below `/services/data`, tokens below `/services/oauth2`. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import express, { type Request, type Response, Router } from 'express';
import { type Exchange, type Hung, serveExchange } from '../../control/exchange.ts';
import { isMeant } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import type { Sandbox } from '../../sandbox.ts';
import { answerSoap } from '../metadata/soap.ts';
import { collectionEndpoints } from '../routes/collections.ts';
import { compositeEndpoints, firstParts } from '../routes/composites.ts';
import { infoEndpoints, versionsBetween } from '../routes/info.ts';
import { metadataEndpoints } from '../routes/metadata.ts';
import { queryEndpoints, searchEndpoints } from '../routes/queries.ts';
import { sobjectEndpoints } from '../routes/sobjects.ts';
import { ORG_ID } from '../schema/ids.ts';
import { answer } from './answer.ts';
import type { SalesforceEndpoint } from './endpoint.ts';
import { salesforceErrorBodies, sessionInvalid } from './error-bodies.ts';
import { SALESFORCE_FORMS } from './forms.ts';
import { type Match, match } from './match-path.ts';

/** Where two patterns match one path, the earlier one answers. */
const ENDPOINTS: SalesforceEndpoint[] = [
  ...compositeEndpoints,
  ...collectionEndpoints,
  ...queryEndpoints,
  ...searchEndpoints,
  ...infoEndpoints,
  ...metadataEndpoints,
  ...sobjectEndpoints,
];

/** URL and headers together. https://help.salesforce.com/s/articleView?id=000386264&type=1 */
const LONGEST_URL = 16_384;

export function salesforceRouter(sandbox: Sandbox, hung: Hung): Router {
  const router = Router();
  router.use(express.raw({ type: () => true, limit: '60mb' }));
  const serve = (request: Request, response: Response, exchange: Omit<Exchange, 'api' | 'latency'>) =>
    serveExchange(
      sandbox,
      hung,
      {
        api: 'salesforce',
        latency: sandbox.settings.salesforce.latency,
        ...exchange,
        answer: async (n, fault) => withCommonHeaders(sandbox, request.method, await exchange.answer(n, fault)),
      },
      request,
      response,
    );
  const plain = (operation: string, path: string, reply: (request: Request) => Reply | Promise<Reply>) => ({
    path,
    handler: (request: Request, response: Response) =>
      serve(request, response, {
        operation,
        path,
        errorBodies: salesforceErrorBodies({}),
        answer: () => reply(request),
      }),
  });

  const token = plain('oauth/token', '/services/oauth2/token', (request) => exchangeToken(sandbox, request));
  router.post(token.path, token.handler);
  const revoke = plain('oauth/revoke', '/services/oauth2/revoke', (request) => {
    sandbox.salesforce.tokens.revoke(formOf(request).get('token') ?? '');
    return { status: 200 };
  });
  router.post(revoke.path, revoke.handler);
  for (const path of ['/services/oauth2/userinfo', '/id/:org/:user']) {
    const identity = plain('identity', path, (request) => tellIdentity(sandbox, request));
    router.get(path, identity.handler);
  }
  const versions = plain('versions', '/services/data', () => {
    const { oldest_version: oldest, newest_version: newest } = sandbox.settings.salesforce;
    return { status: 200, body: versionsBetween(oldest, newest) };
  });
  router.get(versions.path, versions.handler);

  const soap = plain('metadata/soap', '/services/Soap/m/:version', (request) =>
    answerSoap(sandbox.salesforce, textOf(request)),
  );
  router.post(soap.path, soap.handler);

  router.use((request, response) => {
    const found = match(ENDPOINTS, request.method, request.path);
    const body = parsed(request);
    const parts = found?.endpoint.parts?.(body) ?? [];
    return serve(request, response, {
      parts: parts.flatMap((part) => part ?? []),
      begin: async (n, fault) => {
        const first = parts.findIndex((part) => part && isMeant(fault, part));
        if (first > 0) await answer({ sandbox, request, found, n, fault: undefined, body: firstParts(body, first) });
      },
      path: patternOf(sandbox, found) ?? '(unknown)',
      object: objectIn(sandbox, found, body),
      operation: found?.endpoint.operation ?? 'unknown',
      inputs: rowsIn(body),
      requestBody: textOf(request),
      errorBodies: salesforceErrorBodies(found?.endpoint.empty ?? {}),
      answer: (n, fault) =>
        request.originalUrl.length > LONGEST_URL
          ? {
              status: 414,
              text: '<html><body><h1>414 URI Too Long</h1></body></html>',
              headers: { 'content-type': 'text/html' },
            }
          : answer({ sandbox, request, found, n, fault }),
    });
  });
  return router;
}

async function exchangeToken(sandbox: Sandbox, request: Request): Promise<Reply> {
  const { salesforce: org } = sandbox;
  const { oauth, race_window } = org.settings;
  const grant = { instanceUrl: `${request.protocol}://${request.get('host')}${request.baseUrl}`, userId: org.userId };
  return org.tokens.exchange(formOf(request), oauth, grant, () => pause(race_window));
}

function tellIdentity(sandbox: Sandbox, request: Request): Reply {
  const { salesforce: org } = sandbox;
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || !org.tokens.isGood(token)) return sessionInvalid();
  const user = org.record(org.userId);
  const value = (name: string) => user?.values.get(name);
  return {
    status: 200,
    body: {
      sub: request.originalUrl,
      user_id: org.userId,
      organization_id: ORG_ID,
      preferred_username: value('Username'),
      username: value('Username'),
      display_name: value('Name'),
      name: value('Name'),
      email: value('Email'),
      active: true,
    },
  };
}

/** Headers that answers have besides their own. */
function withCommonHeaders(sandbox: Sandbox, method: string, reply: Reply): Reply {
  const carrying = { server: 'sfdcedge', 'x-request-id': randomUUID() };
  const common: Record<string, string> = {
    'content-type': 'application/json;charset=UTF-8',
    'cache-control': 'no-cache,must-revalidate,max-age=0,no-store,private',
    ...((method === 'GET' || method === 'POST') && reply.status < 300 && { vary: 'Accept-Encoding' }),
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  };
  const few = reply.status === 204 ? SALESFORCE_FORMS[sandbox.settings.salesforce.forms].withoutBody : undefined;
  const shown = Object.entries(common).filter(([name]) => few?.includes(name) ?? true);
  return { ...reply, headers: { ...carrying, ...Object.fromEntries(shown) } };
}

function formOf(request: Request): URLSearchParams {
  return new URLSearchParams(textOf(request));
}

/** The body as it came; empty when there is none. */
function textOf(request: Request): string {
  return Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
}

function parsed(request: Request): unknown {
  try {
    return JSON.parse(textOf(request) || 'null');
  } catch {
    return null;
  }
}

function rowsIn(body: unknown): number | undefined {
  const { records, compositeRequest, graphs } = (body ?? {}) as Record<string, unknown>;
  const rows = [records, compositeRequest, graphs].find(Array.isArray);
  return rows?.length;
}

/** The path without what belongs to single records. */
function patternOf(sandbox: Sandbox, found: Match | undefined): string | undefined {
  if (!found) return undefined;
  const object = sandbox.salesforce.schema.find(found.params.object ?? '')?.name;
  const path = found.endpoint.path
    .replace(':object', object ?? ':object')
    .replace(':field', found.params.field ?? ':field');
  return `/services/data/v${found.version}${path}`;
}

function objectIn(sandbox: Sandbox, found: Match | undefined, body: unknown): string | undefined {
  const given = found?.params.object ?? found?.endpoint.objectOf?.(body);
  return given === undefined ? undefined : sandbox.salesforce.schema.find(given)?.name;
}
