/**
 * Calls a second that reach a CRM under its limits, from webhook to the last record, and the requests that each costs.
 * Half of the callers are in the CRM, every call leaves a task, no person calls twice; 40 ms for each answer.
 *
 * HubSpot limits by the second: 190 requests in 10 s, 5 searches in 1 s (a Professional account). Salesforce limits by the
 * day: 100,000 requests and 1,000 more for each user, so what counts there is how many calls that is.
 */

import { makeConfig } from '../../test/support/config.ts';
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { type InstallationOptions, openInstallation } from '../installation.ts';
import { makeCall, type Payload } from '../support/calls.ts';
import { eachOf, pause } from '../support/watch.ts';

export type Crm = 'hubspot' | 'salesforce';

export interface DeliveryFigures {
  of: Record<'wrapup' | 'baseline', Delivered>;
  /** Calls a second, Wrapup's to the baseline's. */
  ratio: number;
}

export interface Delivered {
  calls: number;
  seconds: number;
  callsPerSecond: number;
  requestsPerCall: number;
  /** Answers of 429. */
  refused: number;
}

const SETTINGS = { hubspot: { latency: 40 }, salesforce: { latency: 40 } };
/** HubSpot is what an installation for measuring delivers to by default. */
const INSTALLATIONS: Record<Crm, InstallationOptions> = {
  hubspot: {},
  salesforce: {
    config: makeConfig({
      connections: [
        'service: { kind: salesforce, client_id: sandbox-consumer-key, client_secret: sandbox-consumer-secret, base_url: "${SALESFORCE_LOGIN_URL}" }',
      ],
      routes: ['- { name: service-calls, to: service, mapping: mapping.yaml }'],
    }),
    mapping: `
extends: salesforce/call-log
tasks:
  - name: call-back
    when: { path: call.outcome, exists: true }
`,
  },
};
/** The CRM's search sees new records after two seconds. */
const INDEXED = 2_500;

interface Side {
  sandbox: Awaited<ReturnType<typeof openInstallation>>['sandbox'];
  post(payload: Payload): Promise<void>;
  /** Resolves when all of these calls are done, and they are the last that came. */
  done(payloads: Payload[]): Promise<void>;
}

export async function measureDelivery(crm: Crm, calls: number, baselineCalls: number): Promise<DeliveryFigures> {
  const installation = await openInstallation({ ...INSTALLATIONS[crm], settings: SETTINGS });
  const ours: Side = { ...installation, done: (all) => installation.written(all.map(({ call }) => call.call_id)) };
  let wrapup: Delivered;
  try {
    // Code that runs for the first time is slow.
    await deliver(crm, ours, 20, 0);
    await pause(11_000);
    wrapup = await deliver(crm, ours, calls, 10_000);
  } finally {
    await installation.close();
  }
  const usual = await openBaseline(SETTINGS, { BASELINE_CRM: crm });
  let posted = 0;
  const theirs: Side = {
    ...usual,
    done(all) {
      posted += all.length;
      return usual.done(posted);
    },
  };
  try {
    await deliver(crm, theirs, 5, 0);
    await pause(11_000);
    const baseline = await deliver(crm, theirs, baselineCalls, 10_000);
    return { of: { wrapup, baseline }, ratio: wrapup.callsPerSecond / baseline.callsPerSecond };
  } finally {
    await usual.close();
  }
}

async function deliver(crm: Crm, { sandbox, post, done }: Side, calls: number, first: number): Promise<Delivered> {
  const phones = Array.from({ length: calls }, (_, n) => phoneOf(first + n));
  const known = phones.filter((_, n) => n % 2 === 0);
  sandbox.control.seed(
    crm === 'hubspot'
      ? { records: { contacts: known.map((phone) => ({ properties: { phone, firstname: 'Known' } })) } }
      : { salesforce: { records: { Contact: known.map((phone) => ({ LastName: 'Known', Phone: phone })) } } },
  );
  await pause(INDEXED);
  const before = sandbox.control.requests().total;
  const refusedBefore = refusals(sandbox);
  const began = performance.now();
  const payloads = phones.map((phone) => makeCall({ phone }));
  await eachOf(payloads, 50, post);
  await done(payloads);
  const seconds = (performance.now() - began) / 1000;
  return {
    calls,
    seconds,
    callsPerSecond: calls / seconds,
    requestsPerCall: (sandbox.control.requests().total - before) / calls,
    refused: refusals(sandbox) - refusedBefore,
  };
}

function refusals(sandbox: Side['sandbox']): number {
  return sandbox.control.requests().requests.filter(({ status }) => status === 429).length;
}
