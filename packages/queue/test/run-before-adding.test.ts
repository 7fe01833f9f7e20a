/** The job that comes with a call is the one that BullMQ itself would have added. */
import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { openStore, type Store } from '../src/index.ts';
import { runBeforeAdding } from '../src/run-before-adding.ts';

let store: Store;
let queue: Queue;
beforeAll(async () => {
  store = openStore({ url: redisUrl(), prefix: freshPrefix(), role: 'worker', onError() {} });
  await store.connected(20_000);
  queue = store.queues.get('together');
  await queue.waitUntilReady();
});
afterAll(() => store.close());

function step(answer: string) {
  return {
    name: 'noteForTest',
    lua: `redis.call('HINCRBY', KEYS[1], ARGV[1], 1) return ARGV[1]`,
    keys: [`${store.keys.prefix}:notes`],
    args: [answer],
    unless: 'known',
  };
}

const OPTIONS = { plain: { attempts: 10 }, prioritised: { attempts: 3, priority: 20 }, delayed: { delay: 60_000 } };

describe('a step and a job in one', () => {
  it.each(Object.entries(OPTIONS))('leaves a %s job as add would have left it', async (_, opts) => {
    const [ours, theirs] = [`a-${randomUUID()}`, `b-${randomUUID()}`];
    const data = { source: 'main', call_id: 'ü', revision: 'r' };
    expect(
      await runBeforeAdding({ redis: store.redis, queue }, step('new'), {
        name: 'call',
        data,
        opts: { ...opts, jobId: ours },
      }),
    ).toBe('new');
    await queue.add('call', data, { ...opts, jobId: theirs });

    const kept = await Promise.all([ours, theirs].map((id) => store.redis.hgetall(queue.toKey(id))));
    for (const one of kept) expect(Number(one.timestamp)).toBeGreaterThan(0);
    const [first, second] = kept.map(({ timestamp: _, opts = '', ...rest }) => {
      const { jobId: _id, ...options } = JSON.parse(opts);
      return { ...rest, options };
    });
    expect(first).toEqual(second);
    const states = await Promise.all([ours, theirs].map((id) => queue.getJobState(id)));
    expect(states[0]).toBe(states[1]);
    const events = await store.redis.xrange(queue.toKey('events'), '-', '+');
    const of = (id: string) =>
      events
        .map(([, fields]) => fields.join(' '))
        .filter((text) => text.includes(id))
        .map((text) => text.replace(id, '').replace(/delay \d+/, ''));
    expect(of(ours)).toEqual(of(theirs));
    expect(of(ours).length).toBeGreaterThan(0);
  });

  it('adds no job on the one answer that says so', async () => {
    const jobId = `a-${randomUUID()}`;
    await runBeforeAdding({ redis: store.redis, queue }, step('known'), { name: 'call', data: {}, opts: { jobId } });
    expect(await queue.getJob(jobId)).toBeUndefined();
    expect(await store.redis.hget(`${store.keys.prefix}:notes`, 'known')).toBe('1');
  });

  it('does both one after the other where BullMQ has not yet given its scripts to the client', async () => {
    const jobId = `a-${randomUUID()}`;
    const blind = new Proxy(store.redis, {
      get: (client, name) => {
        const value = name === 'scriptsSet' ? undefined : Reflect.get(client, name);
        return typeof value === 'function' ? value.bind(client) : value;
      },
    });
    expect(
      await runBeforeAdding({ redis: blind, queue }, step('new'), { name: 'call', data: {}, opts: { jobId } }),
    ).toBe('new');
    expect(await queue.getJobState(jobId)).toBe('waiting');
  });

  it('runs again after a restart of Redis has forgotten its scripts', async () => {
    await store.redis.script('FLUSH');
    const jobId = `a-${randomUUID()}`;
    await runBeforeAdding({ redis: store.redis, queue }, step('new'), { name: 'call', data: {}, opts: { jobId } });
    expect(await queue.getJobState(jobId)).toBe('waiting');
  });
});
