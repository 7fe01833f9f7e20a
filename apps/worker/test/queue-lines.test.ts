/** Queues are served on demand, beside each other, and whatever the bell loses is found. */
import { randomUUID } from 'node:crypto';
import { callsQueue, deliveriesQueue, openStore, type Store } from '@wrapup/queue';
import type { Job } from 'bullmq';
import { afterEach, describe, expect, it } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { delayJob } from '../src/bullmq/finish-job.ts';
import { workerOptions } from '../src/bullmq/installation-workers.ts';
import { QueueLines, type QueueService } from '../src/bullmq/queue-lines.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const queueOf = (name: string) => (name.includes('.') ? deliveriesQueue(name) : callsQueue(`${name}.main`));

/** Processes over one prefix of Redis, each with a connection of its own. */
async function open() {
  const prefix = freshPrefix();
  const store = await openTestStore({ prefix });
  closers.push(() => store.close());
  const done: string[] = [];
  /** @param client or one of its connections, by full name */
  const add = (client: string, options: { id?: string; delay?: number } = {}) => {
    const queue = store.queues.get(queueOf(client));
    const { id = `${client}-${randomUUID()}`, delay } = options;
    return store.queues.add(queue, {
      name: 'call',
      data: { source: `${client}.main`, call_id: id, revision: 'r' },
      opts: { jobId: `c-${id}`, attempts: 3, ...(delay ? { delay } : {}) },
    });
  };
  return {
    store,
    done,
    add,
    /** The clients of the calls that are done, in their order. */
    order: () => done.map((id) => id.split('-')[0]),
    /** A process that serves the queues of these clients. */
    async serve(
      clients: string[],
      run: (job: Job, token: string) => Promise<void>,
      { maxOpen, keepEvery, ...service }: Partial<QueueService> & { maxOpen?: number; keepEvery?: number } = {},
    ) {
      const own: Store = openStore({ url: redisUrl(), prefix, role: 'worker', onError() {} });
      await own.connected(PATIENCE);
      let served = clients;
      const lines = new QueueLines({
        ...{ store: own, log: silent, onError() {} },
        options: workerOptions(own, () => ({ routes: [] }) as never),
        served: () => served.map(queueOf),
        ...(maxOpen && { maxOpen }),
        ...(keepEvery !== undefined && { keepEvery }),
        prepare: async () => ({
          concurrency: 5,
          run: async (job, token) => {
            await run(job, token);
            done.push(job.data.call_id);
          },
          ...service,
        }),
      });
      const close = async () => {
        await lines.close();
        await own.close();
      };
      closers.push(close);
      return {
        lines,
        close,
        reconfigure(next: string[]) {
          served = next;
          lines.reconfigure();
        },
      };
    },
  };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const soon = (ms = 2) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('finished jobs', () => {
  it.each([
    ['each', 0, 12],
    ['the first', Number.POSITIVE_INFINITY, 1],
  ])('%s is kept where %d ms are between two of them', async (_, keepEvery, kept) => {
    const { store, add, done, serve } = await open();
    for (const n of times(12)) await add('acme', { id: `acme-${n}` });
    await serve(['acme'], async () => {}, { keepEvery });
    await expect.poll(() => done.length, { timeout: 30_000 }).toBe(12);
    const queue = store.queues.get(queueOf('acme'));
    await expect
      .poll(() => queue.getJobCounts('active', 'waiting', 'completed'), { timeout: 30_000 })
      .toEqual({
        ...{ active: 0, waiting: 0, completed: kept },
      });
    // What was removed leaves nothing behind.
    const jobs = await store.redis.keys(`${store.keys.prefix}:${queue.name}:c-acme-*`);
    expect(jobs).toHaveLength(kept);
  });
});

describe('what the bell loses', () => {
  it('is found: jobs that no one was rung for, and those of an earlier version', async () => {
    const { store, add, done, serve } = await open();
    await add('acme', { id: 'rung' });
    await store.redis.del(store.keys.bell);
    await store.queues.get('calls.zeta').add('call', { source: 'zeta.main', call_id: 'earlier', revision: 'r' });
    await serve(['acme', 'zeta'], async () => {});
    await expect.poll(() => [...done].sort()).toEqual(['earlier', 'rung']);
    // And while the process runs.
    await store.redis.zadd(store.keys.bell, 0, 'calls.unserved');
    await add('acme', { id: 'later' });
    await store.redis.del(store.keys.bell);
    await expect.poll(() => done).toContain('later');
  });

  it('is found when the process that took the name is gone', async () => {
    const { store, add, done, serve } = await open();
    await serve(['acme'], async () => {});
    await serve([], async () => {});
    for (const at of times(20)) {
      await add('acme', { id: `call-${at}` });
      // Another process takes the name and does nothing with it.
      await store.redis.zpopmin(store.keys.bell);
    }
    await expect.poll(() => done.length).toBe(20);
  });
});

describe('one client’s backlog', () => {
  it('is not before another client’s call: it is done while the backlog waits', async () => {
    const { add, order, serve, store } = await open();
    await Promise.all(times(600).map(() => add('flood')));
    await serve(['flood', 'quiet'], () => soon());
    await expect.poll(() => order().length).toBeGreaterThan(20);
    const before = order().length;
    await add('quiet');
    await expect.poll(() => order().includes('quiet')).toBe(true);
    // Of the backlog, only what was in hand, and what took its place meanwhile.
    expect(order().indexOf('quiet') - before).toBeLessThan(200);
    expect((await store.queues.read(['calls.flood']))[0]?.waiting).toBeGreaterThan(0);
  });

  it('is not before another’s when it hangs: every queue has hands of its own', async () => {
    const { add, done, serve } = await open();
    const never = Promise.withResolvers<void>();
    await serve(['hung', 'quiet'], ({ data }) => (data.source === 'hung.main' ? never.promise : soon()));
    await Promise.all(times(50).map(() => add('hung')));
    await Promise.all(times(5).map((at) => add('quiet', { id: `quiet-${at}` })));
    await expect.poll(() => done.length).toBe(5);
    never.resolve();
    await expect.poll(() => done.length).toBe(55);
  });

  it('leaves a hand to each of many busy queues, and not many to any', async () => {
    const { add, done, serve } = await open();
    const clients = times(60).map((at) => `client${at}`);
    const go = Promise.withResolvers<void>();
    let inHand = 0;
    let most = 0;
    const run = async () => {
      inHand += 1;
      most = Math.max(most, inHand);
      await go.promise;
      inHand -= 1;
    };
    await Promise.all(clients.flatMap((client) => times(100).map(() => add(client))));
    const { lines } = await serve(clients, run, { concurrency: 100 });
    await expect.poll(() => inHand).toBeGreaterThanOrEqual(1_900);
    // What a batch of such a queue can have, at most.
    await expect.poll(() => lines.handsOf(queueOf('client7'))).toBe(33);
    expect(lines.handsOf(queueOf('another'))).toBe(1);
    go.resolve();
    await expect.poll(() => done.length).toBe(6_000);
    // 60 queues of 100 each would be 6,000.
    expect(most).toBeLessThan(3_000);
  });
});

describe('one client’s many connections', () => {
  it('have no more in hand than all of another’s, where that has enough to do', async () => {
    const { add, serve } = await open();
    const flood = times(60).map((at) => `flood.c${at}`);
    const go = Promise.withResolvers<void>();
    const inHand = { flood: 0, quiet: 0 };
    await serve(
      [...flood, 'quiet'],
      async ({ data }) => {
        inHand[data.source.startsWith('flood') ? 'flood' : 'quiet'] += 1;
        await go.promise;
      },
      { concurrency: 100 },
    );
    closers.push(async () => go.resolve());
    await Promise.all(flood.flatMap((name) => times(100).map(() => add(name))));
    await expect.poll(() => inHand.flood).toBeGreaterThan(1_900);
    await Promise.all(times(100).map(() => add('quiet')));
    // In equal parts for each queue it would have a third of them.
    await expect.poll(() => inHand.quiet).toBe(100);
    go.resolve();
  });

  it('leave a line to another client, before more of their own are served', async () => {
    const { add, done, serve } = await open();
    const flood = times(12).map((at) => `flood.c${at}`);
    const go = Promise.withResolvers<void>();
    const started: string[] = [];
    const run = async ({ data }: Job) => {
      started.push(data.source);
      await go.promise;
    };
    await serve([...flood, 'quiet'], run, { maxOpen: 4 });
    closers.push(async () => go.resolve());
    await Promise.all(flood.map((name) => add(name)));
    await expect.poll(() => started.length).toBe(4);
    await add('quiet');
    await expect.poll(() => started.includes('quiet.main')).toBe(true);
    expect(started.indexOf('quiet.main')).toBe(4);
    go.resolve();
    await expect.poll(() => done.length).toBe(13);
  });
});

describe('jobs that wait for a time', () => {
  it('are taken when they are due, by a process that had no line for their queue', async () => {
    const { add, done, serve, store } = await open();
    await serve(['acme'], async () => {});
    const due = Date.now() + 1_500;
    await add('acme', { id: 'later', delay: 1_500 });
    await expect.poll(() => done).toEqual(['later']);
    expect(Date.now()).toBeGreaterThanOrEqual(due);
    await expect.poll(async () => (await store.queues.read()).length).toBe(0);
  });

  it('come again after a delay that their own processing asked for, and after a failure', async () => {
    const { add, done, serve } = await open();
    const seen: string[] = [];
    await serve(['acme'], async (job, token) => {
      seen.push(job.data.call_id);
      const times = seen.filter((id) => id === job.data.call_id).length;
      if (job.data.call_id === 'delayed' && times < 3) await delayJob(job, token, 30);
      if (job.data.call_id === 'failing' && times < 2) throw new Error('on purpose');
    });
    await Promise.all([add('acme', { id: 'delayed' }), add('acme', { id: 'failing' })]);
    await expect.poll(() => [...done].sort()).toEqual(['delayed', 'failing']);
    expect(seen.filter((id) => id === 'delayed')).toHaveLength(3);
  });
});

describe('a queue', () => {
  it('stands still while it is paused, and goes on afterwards', async () => {
    const { add, done, serve, store } = await open();
    const { lines } = await serve(['acme', 'other'], async () => {});
    await store.queues.get('calls.acme').pause();
    await add('acme', { id: 'paused' });
    await add('other', { id: 'other' });
    await expect.poll(() => done).toEqual(['other']);
    expect(await lines.stuck(0)).toEqual([]);
    await store.queues.get('calls.acme').resume();
    await expect.poll(() => done).toEqual(['other', 'paused']);
  });

  it('of a client that is not served keeps its jobs until it is', async () => {
    const { add, done, serve, store } = await open();
    const process = await serve(['acme'], async () => {});
    await add('new', { id: 'new' });
    await add('acme', { id: 'acme' });
    await expect.poll(() => done).toEqual(['acme']);
    expect(await store.queues.read()).toMatchObject([{ name: 'calls.new', waiting: 1 }]);
    process.reconfigure(['acme', 'new']);
    await expect.poll(() => done).toEqual(['acme', 'new']);
  });

  it('is stuck when it has jobs and finishes none', async () => {
    const { add, serve } = await open();
    const hung = Promise.withResolvers<void>();
    const { lines } = await serve(['acme'], () => hung.promise);
    await Promise.all(times(8).map(() => add('acme')));
    await expect.poll(() => lines.stuck(100)).toEqual(['calls.acme']);
    expect(await lines.stuck(600_000)).toEqual([]);
    hung.resolve();
    await expect.poll(() => lines.stuck(0)).toEqual([]);
  });
});

describe('two processes', () => {
  it('share a backlog, and neither does what the other did', async () => {
    const { add, done, serve } = await open();
    const by: number[] = [0, 0];
    const work = (at: number) => async () => {
      by[at] = (by[at] ?? 0) + 1;
      await soon(20);
    };
    await serve(['acme'], work(0));
    await serve(['acme'], work(1));
    await Promise.all(times(600).map(() => add('acme')));
    await expect.poll(() => done.length).toBe(600);
    expect(new Set(done).size).toBe(600);
    expect(Math.min(...by)).toBeGreaterThan(50);
  });

  it('take over what one of them had in hand when it ended without a word', async () => {
    const { add, done, serve } = await open();
    const never = new Promise<void>(() => {});
    const dying = await serve(['acme'], () => never);
    await add('acme', { id: 'left' });
    await expect.poll(async () => (await dying.lines.stuck(0)).length).toBe(0);
    await soon(300);
    // Its locks are not renewed any more.
    await dying.lines.drop();
    await serve(['acme'], async () => {});
    await expect.poll(() => done).toEqual(['left']);
  });
});
