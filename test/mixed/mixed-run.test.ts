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
  type MixedHouse,
  openMixedHouse,
  planMixedCalls,
  send,
  states,
  written,
} from './mixed-run.ts';

const CALLS = 40;

let house: MixedHouse;
beforeAll(async () => {
  house = await openMixedHouse();
});
afterAll(() => house.close());

it('while Salesforce is down the others go on, and in the end each has everything once', async () => {
  const down = 'service';
  const planned = await planMixedCalls(house, 'down', 1, CALLS);
  bringDown(house, down);
  await send(house, planned);
  await written(
    house,
    planned,
    CONNECTIONS.filter((one) => one !== down),
  );
  // The others are done, and this one has not begun.
  expect((await states(house, planned, down)).written ?? 0).toBe(0);
  bringUp(house);
  await written(house, planned, [down]);
  const verdict = await judge(house, planned);
  expect(verdict.broken).toEqual([]);
  expect([verdict.hubspot.logs, verdict.salesforce.logs, verdict.endpoint.distinct]).toEqual([CALLS, CALLS, CALLS]);
});

it('what an endpoint answers is kept with the call, without what was sent to it', async () => {
  const [call] = await planMixedCalls(house, 'answered', 9, 1);
  if (!call) throw new Error('no call');
  house.endpoint.answers(status(200, `Taken: ${call.phone}. ${'x'.repeat(5_000)}`));
  await send(house, [call]);
  await written(house, [call], CONNECTIONS);
  const entry = await house.store.ledger.read('main', call.id);
  const notes = entry?.deliveries.find(({ route }) => route === 'events')?.notes.join('\n') ?? '';
  expect(notes).toMatch(/event: answered 200 in \d+ ms: Taken: .*x{100}/);
  expect(notes).not.toContain(call.phone.slice(2));
  expect(Buffer.byteLength(notes)).toBeLessThan(2_200);
});

it('an endpoint that wants no more stops its connection, which keeps its calls', async () => {
  const planned = await planMixedCalls(house, 'gone', 10, 3);
  house.endpoint.answers(status(410));
  await send(house, planned);
  await written(house, planned, ['sales', 'service']);
  const cause = async () => (await house.store.connections.read('alerts')).pause?.cause;
  await expect.poll(cause).toBe('endpoint_closed');
  expect((await states(house, planned, 'alerts')).queued).toBe(3);
});
