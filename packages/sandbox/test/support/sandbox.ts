import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@hubspot/api-client';
import jsforce from 'jsforce';
import { afterAll, beforeEach } from 'vitest';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../src/index.ts';

export const TOKEN = 'pat-na1-test';

/** A sandbox for all tests of a file, reset before each. Search does not lag by default. */
export async function sandboxForFile(options: StartOptions = {}): Promise<RunningSandbox> {
  const sandbox = await startSandbox({
    provisioned: true,
    ...options,
    settings: {
      ...options.settings,
      hubspot: { search_lag: 0, ...options.settings?.hubspot },
      salesforce: { search_lag: 0, ...options.settings?.salesforce },
    },
  });
  beforeEach(() => sandbox.control.reset());
  afterAll(() => sandbox.close());
  return sandbox;
}

/** The vendor's own client, pointed at the sandbox. */
export function clientOf(sandbox: RunningSandbox, accessToken = TOKEN): Client {
  return new Client({ accessToken, basePath: sandbox.hubspotUrl });
}

/** Version of the Salesforce API that tests speak. */
export const VERSION = '66.0';

/** Salesforce's own client, with a token. */
export function connectionTo(sandbox: RunningSandbox, version = VERSION): jsforce.Connection {
  return new jsforce.Connection({
    instanceUrl: sandbox.salesforceUrl,
    loginUrl: sandbox.salesforceUrl,
    accessToken: sandbox.salesforce.token(),
    version,
  });
}

/** A request to Salesforce as any program could make it. @param path below the version */
export function ask(
  sandbox: RunningSandbox,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return sendTo(`${sandbox.salesforceUrl}/services/data/v${VERSION}${path}`, method, body, {
    authorization: `Bearer ${sandbox.salesforce.token()}`,
    ...headers,
  });
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at field by field
  body: any;
}

/** A request as any program could make it. */
export async function send(
  sandbox: RunningSandbox,
  method: string,
  path: string,
  body?: unknown,
  { token = TOKEN as string | null, signal }: { token?: string | null; signal?: AbortSignal } = {},
): Promise<Answer> {
  return sendTo(
    `${sandbox.hubspotUrl}${path}`,
    method,
    body,
    token === null ? {} : { authorization: `Bearer ${token}` },
    signal,
  );
}

async function sendTo(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** A call's properties, all that are needed. */
export function aCall(id: string, more: Record<string, string> = {}): Record<string, string> {
  return { hs_timestamp: '2026-11-23T10:00:00Z', hs_call_title: `Call ${id}`, wrapup_call_id: `main:${id}`, ...more };
}

/** Asks again until the answer is as wanted. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still not so: ${JSON.stringify(answer)}`);
    await pause(20);
  }
}
