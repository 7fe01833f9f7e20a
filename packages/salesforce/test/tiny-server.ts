import type { IncomingMessage, ServerResponse } from 'node:http';
import { json, type Listening, listenTiny } from '../../../test/support/tiny-server.ts';
import { salesforceSettings } from '../src/client/settings.ts';
import { SalesforceTransport } from '../src/client/transport.ts';

export { json } from '../../../test/support/tiny-server.ts';

export interface TinyServer extends Listening {
  /** Requests to the API so far, without those for tokens: method, path and body. */
  seen: { what: string; headers: IncomingMessage['headers']; body: string }[];
  /** Forms that were posted to the token endpoint. */
  tokens: Record<string, string>[];
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A Salesforce that answers as a test says. Tokens are given unless it says otherwise. */
export async function tinyServer(answer: Answer, token: Answer = giveToken): Promise<TinyServer> {
  const seen: TinyServer['seen'] = [];
  const tokens: TinyServer['tokens'] = [];
  const listening = await listenTiny((body, request, response) => {
    const { method, url, headers } = request;
    if (url?.endsWith('/services/oauth2/token')) {
      tokens.push(Object.fromEntries(new URLSearchParams(body)));
      token(response, request);
      return;
    }
    seen.push({ what: `${method} ${url}`, headers, body });
    answer(response, request);
  });
  return { ...listening, seen, tokens };
}

let given = 0;

/** Another token each time. */
export function giveToken(response: ServerResponse, { headers }: IncomingMessage, more: object = {}): void {
  given += 1;
  const instance = `http://${headers.host}`;
  json(response, 200, {
    access_token: `00Dtoken!${given}`,
    instance_url: instance,
    id: `${instance}/id/00D000000000001EAA/005000000000001AAA`,
    token_type: 'Bearer',
    ...more,
  });
}

export const SESSION_INVALID = [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }];

export function openTransport(url: string, settings: Record<string, unknown> = {}): Promise<SalesforceTransport> {
  return SalesforceTransport.open(
    salesforceSettings.parse({ base_url: url, client_id: 'key', client_secret: 'secret', timeout: 2_000, ...settings }),
  );
}
