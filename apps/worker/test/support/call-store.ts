import { randomUUID } from 'node:crypto';
import type { JsonObject } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { Plan } from '@wrapup/mapping';
import { type Arrival, revisionOf } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { makeArrival, openTestStore } from '../../../../test/support/store.ts';

/** How long the ledger is kept, in days: longer than any test. */
const LEDGER_DAYS = 90;

/** A store on the shared Redis under a prefix of its own, and calls to put into it. It waits for Redis, however busy. */
export async function openCallStore() {
  const store = await openTestStore();
  return {
    store,
    async arrive(payload: object, overrides: Partial<Arrival> = {}) {
      const { call_id } = (payload as { call: { call_id: string } }).call;
      const body = Buffer.from(JSON.stringify(payload));
      const arrival = makeArrival(call_id, body, overrides);
      await store.accept(arrival, LEDGER_DAYS);
      return { source: arrival.source, call_id, revision: revisionOf(body) };
    },
    /** Whatever bytes, under a call id. */
    async arriveBytes(call_id: string, body: Buffer) {
      await store.accept(makeArrival(call_id, body), LEDGER_DAYS);
    },
    async close() {
      await store.close();
    },
  };
}

export interface TestPayload {
  call: { call_id: string } & JsonObject;
  lead: { name: string; phone_number: string } & JsonObject;
}

/** A payload of a connected call with an id of its own. */
export function connectedPayload(): TestPayload {
  return samplePayload('connected', { call_id: randomUUID() }) as unknown as TestPayload;
}

/** A configuration with one route, whose mapping plans nothing but the call's key. */
export function configWith(change: (config: Config) => void = () => {}): Config {
  const config: Config = {
    file: '/wrapup.yaml',
    hash: 'test',
    sources: {
      main: {
        name: 'main',
        provider: 'synthflow',
        region: 'us',
        webhook_secrets: ['s'],
        path_token: [],
        trust: 'signature',
        revisions: 'additive',
        keep: { transcript: true, raw: true },
        default_country: 'US',
        agents: {},
      },
    },
    connections: { sales: { name: 'sales', kind: 'hubspot', settings: {} } },
    digests: [],
    routes: [
      {
        name: 'sales-calls',
        from: ['main'],
        to: 'sales',
        mapping: {
          name: 'mapping.yaml',
          kind: 'hubspot',
          hash: 'aaaa',
          fields: [],
          reads: [],
          records: [],
          plan: (call, route) =>
            ({
              key: `${call.source}:${call.id}`,
              route,
              call,
              person: null,
              records: [],
              left_out: [],
            }) as unknown as Plan,
        },
        when: () => true,
        also: false,
        retries: { attempts: 10, base: 1000, cap: 600_000 },
      },
    ],
    retention: { ledger_days: 90, delivered_days: 7, stopped_days: 30 },
    clients: {},
  };
  change(config);
  return config;
}
