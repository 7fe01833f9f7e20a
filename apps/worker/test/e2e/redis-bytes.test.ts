/** What a call costs in Redis once it is delivered, all of it together: payload, ledger, sets, streams. */
import { randomUUID } from 'node:crypto';
import { CALLS_QUEUE, deliveriesQueue, readInfo } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, expect, it } from 'vitest';
import { startRedis } from '../../../../test/support/redis.ts';
import { talk } from '../../../../test/support/speech.ts';
import { openWorkerSystem, until } from '../support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** Bytes of a body, at least: what a call of some twelve minutes has. */
const BODY = 20_000;

it('is at most half of the body and 4 kB for a call of 20 kB', async () => {
  const redis = await startRedis({ appendonly: false });
  closers.push(() => redis.stop());
  const system = await openWorkerSystem({ redis: redis.url });
  closers.push(() => system.close());
  system.sandbox.control.settings({
    hubspot: { limits: { ten_secondly: null, daily: null, search_per_second: null } },
  });
  const { store } = system;
  await system.startWorker();
  // Of finished jobs and events the last thousand are kept, however many calls there are: they are no cost of a call.
  const used = async () => {
    for (const name of [CALLS_QUEUE, deliveriesQueue('sales')]) {
      await store.queues.get(name).clean(0, 1_000, 'completed');
      await store.queues.get(name).trimEvents(0);
    }
    // Neither are the buffers of connections and the scripts, which are there however many calls there are.
    const { used_memory, mem_clients_normal, used_memory_scripts } = await readInfo(store.redis, store.keys, 'memory');
    return Number(used_memory) - Number(mem_clients_normal) - Number(used_memory_scripts);
  };
  let seed = 0;
  let bytes = 0;
  const deliver = async (calls: number) => {
    const ids = Array.from({ length: calls }, () => randomUUID());
    for (const [index, call_id] of ids.entries()) {
      const phone = `+1415555${1000 + index}`;
      const payload = samplePayload('connected', { call_id, phone }) as unknown as { call: { transcript: string } };
      payload.call.transcript = talk(BODY - 2_000, ++seed);
      const body = Buffer.from(JSON.stringify(payload));
      bytes += body.length;
      const arrival = { source: 'main', call_id, body, received: 'webhook', verified: 'signature' } as const;
      await store.accept({ ...arrival, received_at: Date.now() }, 90);
    }
    for (const id of ids) await until(async () => (await system.delivery(id))?.state === 'written');
  };
  // What is there once: scripts, streams, schemas.
  await deliver(5);
  const [before, calls] = [await used(), 100];
  bytes = 0;
  await deliver(calls);
  const cost = ((await used()) - before) / calls;
  const body = bytes / calls;
  expect(body).toBeGreaterThan(19_000);
  expect(cost).toBeLessThan(body / 2 + 4_096);
});
