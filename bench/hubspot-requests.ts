/**
 * What writing calls to HubSpot costs, through ingress, Redis and worker as they ship, counted by the sandbox.
 *
 *   npm run bench:hubspot              all sizes
 *   npm run bench:hubspot -- 1 10      only these
 *
 * Every call has one task. The sandbox stands for a Professional account: 190 requests in 10 s, 5 searches in 1 s,
 * 40 ms for each answer, and a search that sees a write after 2 s. Calls come as fast as ingress takes them.
 *
 *   new         nobody has the number: search, create
 *   known       a contact has the number, and Wrapup has not written to it of late: search, update
 *   remembered  Wrapup has written to the contact within the last quarter of an hour: no search
 *   repeat      the same calls once more, as a replay does: nothing may be there twice
 */
import { phoneOf } from '../test/support/phone.ts';
import { type Installation, openInstallation, type Payload } from './installation.ts';
import { makeCall } from './support/calls.ts';

const SCENARIOS = ['new', 'known', 'remembered', 'repeat'] as const;
type Scenario = (typeof SCENARIOS)[number];

const SIZES = process.argv.slice(2).map(Number);
/** Webhooks in flight. */
const AT_ONCE = 50;

interface Figures {
  calls: number;
  scenario: Scenario;
  requests: number;
  searches: number;
  seconds: number;
  /** MiB, the most that was seen. */
  memory: number;
}

const installation = await openInstallation();
const figures: Figures[] = [];
try {
  // Code that runs for the first time is slow: one call nobody counts.
  await measure(installation, 'new', [call(phoneOf(0))]);
  let block = 1;
  for (const size of SIZES.length > 0 ? SIZES : [1, 10, 100, 1000]) {
    const phones = (start: number) => Array.from({ length: size }, (_, n) => phoneOf(start * 10_000 + n));
    const known = phones(block);
    const unknown = phones(block + 1);
    block += 2;
    installation.sandbox.control.seed({
      records: { contacts: known.map((number) => ({ properties: { phone: number, firstname: 'Known' } })) },
    });
    const calls = unknown.map(call);
    figures.push(await measure(installation, 'new', calls));
    figures.push(await measure(installation, 'known', known.map(call)));
    figures.push(await measure(installation, 'remembered', unknown.map(call)));
    figures.push(await measure(installation, 'repeat', calls));
  }
  for (const object of ['calls', 'tasks', 'contacts']) report(installation, object);
  print(figures);
} finally {
  await installation.close();
}

function call(number: string): Payload {
  return makeCall({ phone: number });
}

async function measure(at: Installation, scenario: Scenario, calls: Payload[]): Promise<Figures> {
  await quotaIsBack();
  const before = count(at);
  let memory = 0;
  const watch = setInterval(() => {
    at.memory().then(
      (now) => {
        memory = Math.max(memory, now);
      },
      () => {},
    );
  }, 250);
  const began = performance.now();
  const send = scenario === 'repeat' ? (one: Payload) => replay(at, one) : at.post;
  const waiting = [...calls];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await send(next);
    }),
  );
  await at.written(calls.map((one) => one.call.call_id));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  memory = Math.max(memory, await at.memory());
  const after = count(at);
  return {
    calls: calls.length,
    scenario,
    requests: after.requests - before.requests,
    searches: after.searches - before.searches,
    seconds,
    memory,
  };
}

async function replay({ store }: Installation, { call: { call_id } }: Payload): Promise<void> {
  const done = await store.operations.replay('main', call_id, 'sales-calls', { attempts: 10, from: ['written'] });
  if (done !== 'replayed') throw new Error(`call ${call_id} could not be replayed: ${done}`);
}

/** Each run begins with a full quota: no limit is left over from the run before. */
async function quotaIsBack(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, figures.length === 0 ? 0 : 10_500));
}

function count({ sandbox }: Installation): { requests: number; searches: number } {
  const { total, by_operation } = sandbox.control.requests();
  return { requests: total, searches: by_operation['contacts search'] ?? 0 };
}

/** Each call once, whatever happened. */
function report({ sandbox }: Installation, object: string): void {
  const records = sandbox.records(object);
  const keys = new Set(records.map(({ properties }) => properties.wrapup_call_id ?? properties.wrapup_key));
  process.stderr.write(`${records.length} ${object}, ${keys.size} distinct keys\n`);
}

function print(rows: Figures[]): void {
  console.log('| calls | people | requests | per call | of them searches | seconds | worker memory, MiB |');
  console.log('| ---: | --- | ---: | ---: | ---: | ---: | ---: |');
  for (const { calls, scenario, requests, searches, seconds, memory } of rows) {
    const perCall = (requests / calls).toFixed(calls === 1 ? 0 : 3);
    console.log(
      `| ${calls} | ${scenario} | ${requests} | ${perCall} | ${searches} | ${seconds.toFixed(2)} | ${memory.toFixed(0)} |`,
    );
  }
}
