/** An ingress that answers inbound calls from a local HubSpot with people in it. */
import { type Connection, type Inbound, KINDS } from '@wrapup/config';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { expect } from 'vitest';
import { type Harness, type HarnessOptions, source, startHarness } from './harness.ts';

export const TOKEN = 'a-path-token';
export const NEUTRAL = { call_inbound: { override_model_id: '' } };

export const DANA = '+14155550123';
export const NOBODY = '+14155550199';
/** Two people have this number. */
export const SHARED = '+14155550177';

/** As wrapup.yaml would give it, with the first name as the one variable. */
export function inbound(given: Partial<Inbound> = {}): Inbound {
  return {
    look_up: 'sales',
    within: 2_000,
    guard: 'token',
    variables: { first_name: { path: ['person', 'firstname'] } },
    metadata: {},
    agents: [],
    reads: { properties: ['firstname', 'lifecyclestage'], related: {} },
    ...given,
  };
}

export interface InboundHarness extends Harness {
  sandbox: RunningSandbox;
  danaId: string;
  /** Asks as Synthflow does, by default with the right token; gives the answer's body after checking that it is 200. */
  ask(from: string, options?: { path?: string; url?: string; to?: string; agent?: string }): Promise<unknown>;
  /** Requests that reached the CRM. */
  asked(): number;
  /** Configures another connection to the same CRM, with a quota of its own, and gives its name. */
  newConnection(): string;
  /** A second ingress of the same installation. */
  startAnother(): Promise<Harness>;
}

/** One number after the other that no test has used. */
let last = 0;
export function newNumber(): string {
  last += 1;
  return `+1415555${String(2000 + last)}`;
}

export async function startInbound(
  given: Partial<Inbound> = {},
  options: HarnessOptions = {},
): Promise<InboundHarness> {
  const sandbox = await startSandbox({
    settings: { hubspot: { search_lag: 0, limits: { ten_secondly: null, daily: null, search_per_second: null } } },
  });
  const { contacts = [] } = sandbox.control.seed({
    records: {
      contacts: [
        { properties: { firstname: 'Dana', phone: DANA, lifecyclestage: 'customer' } },
        { properties: { firstname: 'Ann', phone: SHARED } },
        { properties: { firstname: 'Bob', phone: SHARED } },
      ],
    },
  });
  const settings = KINDS.hubspot?.settings.parse({
    access_token: 'pat-na1-test',
    base_url: sandbox.hubspotUrl,
  });
  const sources = [source({ path_token: [TOKEN] }), source({ name: 'open' })];
  const connections: Record<string, Connection> = { sales: { name: 'sales', kind: 'hubspot', settings } };
  let current: Inbound | undefined = inbound(given);
  const harness = await startHarness({ sources, inbound: current, connections, ...options });
  return {
    ...harness,
    sandbox,
    danaId: contacts[0] as string,
    answerCalls(next) {
      current = next;
      harness.answerCalls(next);
    },
    startAnother: () =>
      startHarness({ sources, connections, ...options, prefix: harness.prefix, ...(current && { inbound: current }) }),
    asked: () => sandbox.control.requests().total,
    newConnection() {
      const name = `sales-${Object.keys(connections).length}`;
      connections[name] = { name, kind: 'hubspot', settings };
      return name;
    },
    async ask(
      from,
      { path = `/webhooks/main/${TOKEN}/inbound-call`, url = harness.url, to = '+14155550100', agent = 'a0' } = {},
    ) {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          event: 'call_inbound',
          call_inbound: { model_id: agent, from_number: from, to_number: to },
        }),
      });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      return response.json();
    },
    async close() {
      await harness.close();
      await sandbox.close();
    },
  };
}
