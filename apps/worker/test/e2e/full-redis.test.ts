/** A Redis that fills up refuses what comes in before it would refuse those who make room. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openIntake, RedisFullError, readInfo } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { afterAll, expect, it } from 'vitest';
import { startRedis } from '../../../../test/support/redis.ts';
import { openWorkerSystem, until } from '../support/worker-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

it('takes nothing more above nine tenths, while all that was taken is delivered without one refused write', async () => {
  const redis = await startRedis({ appendonly: false, args: ['--maxmemory', '64mb'] });
  closers.push(() => redis.stop());
  const received = new Set<string>();
  const endpoint = createServer((request, response) => {
    received.add(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.end('ok'));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => endpoint.close(resolve).closeAllConnections()));
  const system = await openWorkerSystem({
    redis: redis.url,
    mapping: 'extends: http/event\n',
    routes: `
connections:
  hook: { kind: http, url: "http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/", allow_private: true }
routes:
  - { name: all, to: hook, mapping: mapping.yaml }
`,
  });
  closers.push(() => system.close());
  const { store } = system;
  const intake = openIntake({ url: redis.url, prefix: store.keys.prefix.slice(1, -1), onError() {} });
  closers.push(() => intake.close());
  await until(async () => (await intake.ready()).ok);

  // Most of it is full of something else, so that few calls are enough.
  await store.redis.setrange('filler', 45 * 1024 ** 2, 'x');
  const taken: string[] = [];
  let refusal: unknown;
  // Ten at a time, as senders do who know nothing of each other.
  while (!refusal) {
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, async () => {
        const call_id = randomUUID();
        const payload = samplePayload('connected', { call_id }) as unknown as { call: { transcript: string } };
        payload.call.transcript = randomBytes(40_000).toString('base64');
        const body = Buffer.from(JSON.stringify(payload));
        const arrival = { source: 'main', call_id, body, received: 'webhook', verified: 'signature' } as const;
        await intake.accept({ ...arrival, received_at: Date.now() });
        return call_id;
      }),
    );
    for (const answer of answers) {
      if (answer.status === 'fulfilled') taken.push(answer.value);
      else refusal = answer.reason;
    }
  }
  expect(refusal).toBeInstanceOf(RedisFullError);
  expect(taken.length).toBeGreaterThan(50);
  expect((await intake.ready()).ok).toBe(false);
  expect(intake.memory).toBeLessThan(0.95);

  await system.startWorker();
  for (const id of taken) await until(async () => (await system.delivery(id))?.state === 'written');
  expect(received.size).toBe(taken.length);
  expect(Object.keys(await readInfo(store.redis, store.keys, 'errorstats'))).not.toContain('errorstat_OOM');
});
