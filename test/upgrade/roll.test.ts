/** The release before this one and this one on one Redis, as when processes are replaced one after the other. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { openSystem } from '../support/system.ts';
import { CONFIG, payloadOf } from './earlier-data.ts';
import { checkOutEarlier, EARLIER } from './earlier-release.ts';

const checkout = checkOutEarlier();
afterAll(() => {
  if (checkout !== undefined) rmSync(checkout, { recursive: true });
});

const CALLS = 24;
const CALLERS = 8;

/** Skipped where the history is not there, such as in a shallow clone; counted as such. */
describe.skipIf(checkout === undefined)(`${EARLIER.release} and this release side by side`, () => {
  test('each call is written once, by either release and after either dies, and back again until this one packs', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const config = CONFIG.replace(', retries: { attempts: 1 }', '');
    const system = await openSystem({ redis: server.url, prefix: 'wrapup', config });
    onTestFinished(() => system.close());
    system.sandbox.control.settings({
      hubspot: { search_lag: 0, limits: { search_per_second: null }, latency: 60 },
    });
    const oldIngress = await system.startIngress({}, checkout);
    const oldWorker = await system.startWorker({}, checkout);
    let sent = 0;
    const send = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        sent += 1;
        // Of each caller both releases may have a call in hand.
        const phone = `+1415555010${sent % CALLERS}`;
        expect((await system.post(payloadOf(`roll-${sent}`, phone))).status).toBe(202);
      }
    };
    const settled = () =>
      Promise.all(Array.from({ length: sent }, (_, i) => system.settled(`roll-${i + 1}`))).then((entries) =>
        entries.flatMap(({ deliveries }) => deliveries.map(({ state }) => state)),
      );
    await send(CALLS);

    // The new ones come while the old ones have work in hand; then what comes is taken by both ingresses in turn.
    const [newIngress, newWorker] = await Promise.all([system.startIngress(), system.startWorker()]);
    for (const ingress of [oldIngress, newIngress, oldIngress, newIngress]) {
      system.ingress = ingress;
      await send(CALLS / 4);
    }
    // The old worker dies with work in hand: the new one takes it over.
    await oldWorker.kill();
    system.ingress = newIngress;
    await send(CALLS / 2);
    expect(new Set(await settled())).toEqual(new Set(['written']));

    // Back to the release before, which takes over what the new one leaves.
    await send(CALLS / 2);
    await Promise.all([newWorker.kill(), newIngress.stop()]);
    const oldAgain = await system.startWorker({}, checkout);
    system.ingress = oldIngress;
    await send(CALLS / 4);
    expect(new Set(await settled())).toEqual(new Set(['written']));
    expect(oldAgain.lines.some(({ msg }) => String(msg).includes('delivered'))).toBe(true);

    const logs = (await system.crm('calls')).map(({ properties }) => properties.wrapup_call_id);
    expect(logs.sort()).toEqual(Array.from({ length: sent }, (_, i) => `main:roll-${i + 1}`).sort());
    const people = (await system.crm('contacts')).map(({ properties }) => properties.phone);
    expect(people.length).toBe(new Set(people).size);
    expect(people).toHaveLength(CALLERS);
  });
});
