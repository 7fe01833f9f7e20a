/**
 * One call on three routes: HubSpot, Salesforce and an HTTP endpoint. While one of the three is down the others go on, and
 * in the end each has everything once. `npm run bench:mixed` takes each of them down for a minute, with 500 calls.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { status } from '../../packages/http/test/support/endpoint.ts';
import {
  bringDown,
  bringUp,
  CONNECTIONS,
  judge,
  type MixedSystem,
  openMixedSystem,
  planMixedCalls,
  send,
  states,
  written,
} from './mixed-run.ts';

const CALLS = 40;

let system: MixedSystem;
beforeAll(async () => {
  system = await openMixedSystem();
});
afterAll(() => system.close());

it('while Salesforce is down the others go on, and in the end each has everything once', async () => {
  const down = 'service';
  const planned = await planMixedCalls(system, 'down', 1, CALLS);
  bringDown(system, down);
  await send(system, planned);
  await written(
    system,
    planned,
    CONNECTIONS.filter((one) => one !== down),
  );
  // The others are done, and this one has not begun.
  expect((await states(system, planned, down)).written ?? 0).toBe(0);
  bringUp(system);
  await written(system, planned, [down]);
  const verdict = await judge(system, planned);
  expect(verdict.broken).toEqual([]);
  expect([verdict.hubspot.logs, verdict.salesforce.logs, verdict.endpoint.distinct]).toEqual([CALLS, CALLS, CALLS]);
});

it('what an endpoint answers is kept with the call, without what was sent to it', async () => {
  const [call] = await planMixedCalls(system, 'answered', 9, 1);
  if (!call) throw new Error('no call');
  system.endpoint.answers(status(200, `Taken: ${call.phone}. ${'x'.repeat(5_000)}`));
  await send(system, [call]);
  await written(system, [call], CONNECTIONS);
  const entry = await system.store.ledger.read('main', call.id);
  const notes = entry?.deliveries.find(({ route }) => route === 'events')?.notes.join('\n') ?? '';
  expect(notes).toMatch(/event: answered 200 in \d+ ms: Taken: .*x{100}/);
  expect(notes).not.toContain(call.phone.slice(2));
  expect(Buffer.byteLength(notes)).toBeLessThan(2_200);
});

it('an endpoint that wants no more stops its connection, which keeps its calls', async () => {
  const planned = await planMixedCalls(system, 'gone', 10, 3);
  system.endpoint.answers(status(410));
  await send(system, planned);
  await written(system, planned, ['sales', 'service']);
  const cause = async () => (await system.store.connections.read('alerts')).pause?.cause;
  await expect.poll(cause).toBe('endpoint_closed');
  expect((await states(system, planned, 'alerts')).queued).toBe(3);
});
