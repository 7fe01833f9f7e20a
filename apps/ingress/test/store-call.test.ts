import { afterEach, describe, expect, it } from 'vitest';
import { doWithin, ownTime } from '../../../test/support/own-time.ts';
import { PATIENCE } from '../../../test/support/patience.ts';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { eventOf, type Harness, newCallId, startHarness, waitUntil } from './support/harness.ts';

const cleanUps: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(args: string[] = []): Promise<{ redis: PrivateRedis; ingress: Harness }> {
  const redis = await startRedis({ args });
  cleanUps.push(() => redis.stop());
  const ingress = await startHarness({ redis: redis.url });
  cleanUps.push(() => ingress.close());
  return { redis, ingress };
}

/** Within which a sender is answered, whatever Redis does: the promise, in ms. */
const PROMISED = 1_000;
/** What no answer at all may take, on however busy a machine, in ms. */
const LONGEST = 2_000;

/** Sends calls at once that must be refused for Redis' sake, in time. */
async function refusedInTime(ingress: Harness, ...callIds: string[]): Promise<void> {
  const ids = callIds.length > 0 ? callIds : [newCallId()];
  await doWithin(PROMISED, () => Promise.all(ids.map((callId) => refused(ingress, callId))));
}

async function refused(ingress: Harness, callId: string): Promise<void> {
  const response = await ingress.send({ callId });
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(((await response.json()) as { type: string }).type).toBe('urn:wrapup:problem:unavailable');
}

const accepted = (ingress: Harness, callId = newCallId()) =>
  waitUntil(async () => [200, 202].includes((await ingress.send({ callId })).status));
const readiness = async (ingress: Harness) => (await fetch(`${ingress.url}/readyz`)).status;

describe('Redis', () => {
  it('killed: 503 within a second; back: taken without a restart, nothing acknowledged is lost', async () => {
    const { redis, ingress } = await start();
    const before = newCallId();
    await accepted(ingress, before);
    await redis.kill();
    for (let i = 0; i < 3; i++) await refusedInTime(ingress);
    expect(await readiness(ingress)).toBe(503);
    await redis.restart();
    await accepted(ingress);
    await waitUntil(async () => (await readiness(ingress)) === 200);
    await ingress.store.connected(PATIENCE);
    expect((await ingress.stored(before, eventOf(before)))?.toString()).toBe(eventOf(before));
    expect(await ingress.store.ledger.read('main', before)).toBeDefined();
  });

  it('killed under load: every answer is 202 or 503 in time, and every 202 is found afterwards', async () => {
    const { redis, ingress } = await start();
    await accepted(ingress);
    const acknowledged: string[] = [];
    const others: number[] = [];
    const times: number[] = [];
    let going = true;
    const senders = Array.from({ length: 8 }, async () => {
      while (going) {
        const callId = newCallId();
        const took = await ownTime(async () => {
          const { status } = await ingress.send({ callId });
          if (status === 202) acknowledged.push(callId);
          else others.push(status);
        });
        times.push(took);
      }
    });
    await waitUntil(() => acknowledged.length > 50);
    await redis.kill();
    await waitUntil(() => others.length > 20);
    going = false;
    await Promise.all(senders);
    await redis.restart();
    await accepted(ingress);
    await ingress.store.connected(PATIENCE);
    expect(new Set(others)).toEqual(new Set([503]));
    expect(Math.max(...times)).toBeLessThan(LONGEST);
    for (const callId of acknowledged) {
      expect((await ingress.stored(callId, eventOf(callId)))?.toString()).toBe(eventOf(callId));
    }
  });

  it('gone when ingress starts: 503 within a second; there: taken', async () => {
    const redis = await startRedis();
    cleanUps.push(() => redis.stop());
    await redis.kill();
    const ingress = await startHarness({ redis: redis.url });
    cleanUps.push(() => ingress.close());
    await refusedInTime(ingress);
    expect((await fetch(`${ingress.url}/healthz`)).status).toBe(200);
    await redis.restart();
    await accepted(ingress);
  });

  it('frozen: 503 within a second, also for many at once; thawed: the repeat is taken once', async () => {
    const { redis, ingress } = await start();
    await accepted(ingress);
    const callId = newCallId();
    redis.pause();
    await refusedInTime(ingress, callId);
    await refusedInTime(ingress, ...Array.from({ length: 20 }, newCallId));
    expect(await readiness(ingress)).toBe(503);
    redis.resume();
    await accepted(ingress, callId);
    await ingress.store.connected(PATIENCE);
    expect((await ingress.store.ledger.read('main', callId))?.revisions).toHaveLength(1);
  });

  it('frozen for long: its connection is given up, so that what is refused does not pile up in it', async () => {
    const { redis, ingress } = await start();
    await accepted(ingress);
    redis.pause();
    await waitUntil(async () => {
      await refusedInTime(ingress);
      return ingress.logged().includes('Socket timeout');
    });
    redis.resume();
    await accepted(ingress);
  });

  it('restarting: 503 or taken, never a hang', async () => {
    const { redis, ingress } = await start();
    await accepted(ingress);
    const restarted = redis.restart();
    let over = false;
    void restarted.then(() => {
      over = true;
    });
    while (!over) {
      const took = await ownTime(async () => expect([202, 503]).toContain((await ingress.send()).status));
      expect(took).toBeLessThan(LONGEST);
    }
    await restarted;
    await accepted(ingress);
  });

  it('without enough replicas to take a write: 503', async () => {
    const { ingress } = await start();
    await accepted(ingress);
    await ingress.store.redis.config('SET', 'min-replicas-to-write', '1');
    await refusedInTime(ingress);
    await ingress.store.redis.config('SET', 'min-replicas-to-write', '0');
    await accepted(ingress);
  });

  it('a read-only replica: 503 and not ready; primary again: taken', async () => {
    const { ingress } = await start();
    await accepted(ingress);
    await ingress.store.redis.call('REPLICAOF', '127.0.0.1', '1');
    await refusedInTime(ingress);
    expect(await readiness(ingress)).toBe(503);
    await ingress.store.redis.call('REPLICAOF', 'NO', 'ONE');
    await accepted(ingress);
  });

  it('full: 503 and not ready; room again: taken', async () => {
    const { ingress } = await start();
    await accepted(ingress);
    await ingress.store.redis.config('SET', 'maxmemory', '1mb');
    await refusedInTime(ingress);
    expect(await readiness(ingress)).toBe(503);
    await ingress.store.redis.config('SET', 'maxmemory', '0');
    await accepted(ingress);
    expect(await readiness(ingress)).toBe(200);
  });
});

describe('an intake that neither takes nor refuses', () => {
  it('is given up', async () => {
    const ingress = await startHarness({
      intake: (real) => ({ ...real, accept: () => new Promise(() => {}) }),
      options: { storeWithin: 300 },
    });
    cleanUps.push(() => ingress.close());
    await refusedInTime(ingress);
  });
});
