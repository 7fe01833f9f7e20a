/**
 * Calls a second that reach HubSpot under the limits of a Professional account (190 requests in 10 s, 5 searches in 1 s,
 * 40 ms for each answer), from webhook to call log, and the requests that each costs. Half of the callers are in the CRM,
 * every call leaves a task, nobody calls twice.
 */
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { openInstallation } from '../installation.ts';
import { makeCall, type Payload } from '../support/calls.ts';
import { eachOf, pause } from '../support/watch.ts';

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

const SETTINGS = { hubspot: { latency: 40 } };
/** The CRM's search sees new records after two seconds. */
const INDEXED = 2_500;

interface Side {
  sandbox: Awaited<ReturnType<typeof openInstallation>>['sandbox'];
  post(payload: Payload): Promise<void>;
  /** Resolves when all of these calls are done, and they are the last that came. */
  done(payloads: Payload[]): Promise<void>;
}

export async function measureDelivery(calls: number, baselineCalls: number): Promise<DeliveryFigures> {
  const installation = await openInstallation({ settings: SETTINGS });
  const ours: Side = { ...installation, done: (all) => installation.written(all.map(({ call }) => call.call_id)) };
  let wrapup: Delivered;
  try {
    // Code that runs for the first time is slow.
    await deliver(ours, 20, 0);
    await pause(11_000);
    wrapup = await deliver(ours, calls, 10_000);
  } finally {
    await installation.close();
  }
  const usual = await openBaseline(SETTINGS);
  let posted = 0;
  const theirs: Side = {
    ...usual,
    done(all) {
      posted += all.length;
      return usual.done(posted);
    },
  };
  try {
    await deliver(theirs, 5, 0);
    await pause(11_000);
    const baseline = await deliver(theirs, baselineCalls, 10_000);
    return { of: { wrapup, baseline }, ratio: wrapup.callsPerSecond / baseline.callsPerSecond };
  } finally {
    await usual.close();
  }
}

async function deliver({ sandbox, post, done }: Side, calls: number, first: number): Promise<Delivered> {
  const phones = Array.from({ length: calls }, (_, n) => phoneOf(first + n));
  const known = phones.filter((_, n) => n % 2 === 0);
  sandbox.control.seed({
    records: { contacts: known.map((phone) => ({ properties: { phone, firstname: 'Known' } })) },
  });
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
