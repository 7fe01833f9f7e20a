import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenTiny } from '../../../test/support/tiny-server.ts';
import { hubspotSettings } from '../src/client/settings.ts';
import { HubSpotTransport } from '../src/client/transport.ts';

export { json } from '../../../test/support/tiny-server.ts';

export interface TinyServer {
  url: string;
  /** Requests so far: method and path, and the body. */
  seen: { what: string; body: unknown }[];
  close(): Promise<void>;
}

/** A HubSpot that answers as a test says. */
export async function tinyServer(
  answer: (body: unknown, response: ServerResponse, request: IncomingMessage) => void,
): Promise<TinyServer> {
  const seen: TinyServer['seen'] = [];
  const { url, close } = await listenTiny((text, request, response) => {
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    seen.push({ what: `${request.method} ${request.url}`, body });
    answer(body, response, request);
  });
  return { url, seen, close };
}

export function openTransport(
  url: string,
  settings: { timeout?: number; api_version?: string } = {},
): Promise<HubSpotTransport> {
  return HubSpotTransport.open(hubspotSettings.parse({ access_token: 'pat-na1-test', base_url: url, ...settings }));
}
