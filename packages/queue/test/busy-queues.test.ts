/** Which queues hold work: never one too few, whatever happens to the bell. */
import { type ConnectionOptions, Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newArrival, openTestStore } from '../../../test/support/store.ts';
import { callsQueue, callsQueues, deliveriesQueue, type Store } from '../src/index.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

const busy = () => store.redis.smembers(store.keys.busy);
const rung = () => store.redis.zrange(store.keys.bell, '0', '-1');
const accept = (source: string, otherwise = {}) => store.accept(newArrival({ source, ...otherwise }), 90);
const countOf = async (name: string) => (await store.queues.read([name]))[0]?.waiting ?? 0;

describe('queues of calls', () => {
  it('are one for wrapup.yaml and one for each client', () => {
    expect([callsQueue('main'), callsQueue('acme.main'), callsQueue('acme.second')]).toEqual([
      'calls',
      'calls.acme',
      'calls.acme',
    ]);
    expect(callsQueues(['acme.main', 'main', 'zeta.main'])).toEqual(['calls', 'calls.acme', 'calls.zeta']);
  });

  it('hold the calls of their own sources, with priorities of their own', async () => {
    await accept('one.main');
    await accept('one.second', { received: 'backfill' });
    await accept('two.main');
    const counts = await Promise.all(
      ['calls.one', 'calls.two'].map((name) => store.queues.get(name).getJobCounts('waiting', 'prioritized')),
    );
    expect(counts).toEqual([
      { waiting: 1, prioritized: 1 },
      { waiting: 1, prioritized: 0 },
    ]);
  });

  it('get a call anew where it is enqueued again', async () => {
    await store.operations.enqueueCall({ source: 'again.main', call_id: 'x', revision: 'r' });
    await store.operations.enqueueCall({ source: 'again.main', call_id: 'x', revision: 'r' });
    expect(await countOf('calls.again')).toBe(1);
  });
});

describe('a queue that gets a job', () => {
  it('is busy and rung in the same step, and rung once while no one listens', async () => {
    await Promise.all([accept('ring.main'), accept('ring.main'), accept('ring.main')]);
    expect(await busy()).toContain('calls.ring');
    expect((await rung()).filter((name) => name === 'calls.ring')).toHaveLength(1);
  });

  it('is not rung where this process takes the job itself, and not lost either', async () => {
    const own = await openTestStore();
    const taken: string[] = [];
    own.queues.takeOwn((queue) => (queue === 'calls.quiet' ? () => void taken.push(queue) : undefined));
    await own.operations.enqueueCall({ source: 'quiet.main', call_id: 'x', revision: 'r' });
    await own.operations.enqueueCall({ source: 'loud.main', call_id: 'x', revision: 'r' });
    expect(taken).toEqual(['calls.quiet']);
    expect(await own.redis.zrange(own.keys.bell, '0', '-1')).toEqual(['calls.loud']);
    expect((await own.redis.smembers(own.keys.busy)).sort()).toEqual(['calls.loud', 'calls.quiet']);
    await own.close();
  });

  it('is not busy for a call that needs no job', async () => {
    const own = await openTestStore();
    const arrival = newArrival({ source: 'known.main' });
    await own.accept(arrival, 90);
    await own.redis.del(own.keys.busy, own.keys.bell);
    await own.ledger.forget('known.main', arrival.call_id);
    await own.accept(arrival, 90);
    expect(await own.redis.exists(own.keys.busy, own.keys.bell)).toBe(0);
    await own.close();
  });
});

describe('the state of a queue', () => {
  it('is what BullMQ says of it, in every state that a job can have', async () => {
    const name = deliveriesQueue('all-states');
    const queue = store.queues.get(name);
    const add = (id: string, options = {}) => queue.add('delivery', {}, { jobId: `d-${id}`, ...options });
    await add('fails', { attempts: 1 });
    const hung = Promise.withResolvers<void>();
    const worker = new Worker(
      name,
      async ({ id }) => {
        if (id === 'd-fails') throw new Error('on purpose');
        await hung.promise;
      },
      { connection: store.redis as ConnectionOptions, prefix: store.keys.prefix },
    );
    await expect.poll(() => queue.getFailedCount()).toBe(1);
    await add('in-hand');
    await expect.poll(() => queue.getActiveCount()).toBe(1);
    await queue.pause();
    const due = Date.now() + 3_600_000;
    await add('waits');
    await add('ranked', { priority: 20 });
    await add('later', { delay: 7_200_000 });
    await add('sooner', { delay: due - Date.now() });
    const [state] = await store.queues.read([name]);
    expect(state).toMatchObject({ name, waiting: 2, active: 1, delayed: 2, failed: 1, isPaused: true });
    expect(Math.abs((state?.due ?? 0) - due)).toBeLessThan(2_000);
    expect(await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed')).toEqual({
      ...{ waiting: 1, prioritized: 1, active: 1, delayed: 2, failed: 1 },
    });
    expect([...(await store.queues.paused(['all-states', 'other']))]).toEqual(['all-states']);
    await queue.resume();
    expect([...(await store.queues.paused(['all-states']))]).toEqual([]);
    hung.resolve();
    await worker.close();
  });

  it('ends with the last job of any kind: then the queue is not busy any more', async () => {
    const own = await openTestStore();
    await own.accept(newArrival({ source: 'end.main' }), 90);
    expect((await own.queues.read()).map(({ name }) => name)).toEqual(['calls.end']);
    await own.queues.calls('end.main').drain();
    expect(await own.queues.read()).toEqual([]);
    expect(await own.redis.exists(own.keys.busy)).toBe(0);
    await own.close();
  });

  it('is found of jobs that a process of an earlier version added, by the name of the queue', async () => {
    const own = await openTestStore();
    const earlier = new Queue('calls', { connection: own.redis as ConnectionOptions, prefix: own.keys.prefix });
    await earlier.add('call', {});
    expect(await own.queues.read()).toEqual([]);
    expect(await own.queues.read(['calls', 'calls.acme'])).toMatchObject([{ name: 'calls', waiting: 1 }]);
    expect(await own.queues.read()).toMatchObject([{ name: 'calls', waiting: 1 }]);
    await own.close();
  });

  it('is read of any number of queues', async () => {
    const own = await openTestStore();
    const names = Array.from({ length: 1_201 }, (_, index) => `client-${index}.main`);
    for (const source of [names[0], names[700], names[1_200]] as string[])
      await own.operations.enqueueCall({ source, call_id: 'x', revision: 'r' });
    await own.redis.del(own.keys.busy);
    const states = await own.queues.read(callsQueues(names));
    expect(states.map(({ name }) => name)).toEqual(['calls.client-0', 'calls.client-700', 'calls.client-1200']);
    await own.close();
  });
});
