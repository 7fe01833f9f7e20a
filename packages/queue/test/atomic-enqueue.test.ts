/** The job that comes with a call is the one that BullMQ itself would have added. */
import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestStore } from '../../../test/support/store.ts';
import type { Store } from '../src/index.ts';
import { enqueueAtomically, type NewJob } from '../src/queues/atomic-enqueue.ts';

let store: Store;
let queue: Queue;
beforeAll(async () => {
  store = await openTestStore();
  queue = store.queues.get('together');
  await queue.waitUntilReady();
});
afterAll(() => store.close());

const STEP = {
  name: 'noteForTest',
  lua: `redis.call('HINCRBY', KEYS[1], ARGV[1], 1) return ARGV[1]`,
  unless: 'known',
};

function pair(answer: string, job: Omit<NewJob<unknown>, 'name'>, key = 'notes') {
  return { keys: [`${store.keys.prefix}:${key}`], args: [answer], jobs: [{ queue, job: { name: 'call', ...job } }] };
}

/** What a single one is answered. */
async function run(answer: string, job: Omit<NewJob<unknown>, 'name'>, redis = store.redis) {
  const [given] = await enqueueAtomically({ redis, keys: store.keys }, STEP, [pair(answer, job)]);
  return given;
}

/** The client as it is before BullMQ has given it its scripts. */
function withoutScripts() {
  return new Proxy(store.redis, {
    get: (client, name) => {
      const value = name === 'scriptsSet' ? undefined : Reflect.get(client, name);
      return typeof value === 'function' ? value.bind(client) : value;
    },
  });
}

const OPTIONS = { plain: { attempts: 10 }, prioritised: { attempts: 3, priority: 20 }, delayed: { delay: 60_000 } };

describe('a step and a job in one', () => {
  it.each(Object.entries(OPTIONS))('leaves a %s job as add would have left it', async (_, opts) => {
    const [ours, theirs] = [`a-${randomUUID()}`, `b-${randomUUID()}`];
    const data = { source: 'main', call_id: 'ü', revision: 'r' };
    expect(await run('new', { data, opts: { ...opts, jobId: ours } })).toBe('new');
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
    expect(await run('known', { data: {}, opts: { jobId } })).toBe('known');
    expect(await queue.getJob(jobId)).toBeUndefined();
    expect(await store.redis.hget(`${store.keys.prefix}:notes`, 'known')).toBe('1');
  });

  it('does both one after the other where BullMQ has not yet given its scripts to the client', async () => {
    const jobId = `a-${randomUUID()}`;
    expect(await run('new', { data: {}, opts: { jobId } }, withoutScripts())).toBe('new');
    expect(await queue.getJobState(jobId)).toBe('waiting');
  });

  it('runs again after a restart of Redis has forgotten its scripts', async () => {
    await store.redis.script('FLUSH');
    const jobId = `a-${randomUUID()}`;
    expect(await run('new', { data: {}, opts: { jobId } })).toBe('new');
    expect(await queue.getJobState(jobId)).toBe('waiting');
  });

  it('takes many at once, of every kind, and answers each in its place', async () => {
    const jobs = Object.entries(OPTIONS).flatMap(([kind, opts]) =>
      ['new', 'known', 'revision'].map((answer) => ({ kind, answer, opts: { ...opts, jobId: `m-${randomUUID()}` } })),
    );
    const answers = await enqueueAtomically(
      store,
      STEP,
      jobs.map(({ answer, opts }) => pair(answer, { data: { answer }, opts })),
    );
    expect(answers).toEqual(jobs.map(({ answer }) => answer));
    for (const { kind, answer, opts } of jobs) {
      const job = await queue.getJob(opts.jobId);
      expect(job?.data, `${kind}, ${answer}`).toEqual(answer === 'known' ? undefined : { answer });
    }
  });

  it('tells one that fails, and leaves the others', async () => {
    await store.redis.set(`${store.keys.prefix}:no-hash`, 'text');
    const ids = [1, 2, 3].map(() => `f-${randomUUID()}`);
    const answers = await enqueueAtomically(
      store,
      STEP,
      ids.map((jobId, index) => pair('new', { data: {}, opts: { jobId } }, index === 1 ? 'no-hash' : 'notes')),
    );
    expect(answers.map((answer) => (answer instanceof Error ? 'failed' : answer))).toEqual(['new', 'failed', 'new']);
    expect(String(answers[1])).toContain('WRONGTYPE');
    expect(await Promise.all(ids.map((id) => queue.getJobState(id)))).toEqual(['waiting', 'unknown', 'waiting']);
  });

  describe.each(['together', 'one after the other'] as const)('with several jobs, %s', (how) => {
    it('adds those that it wants, each to its own queue', async () => {
      const second = store.queues.get(`second-${randomUUID()}`);
      const ids = [1, 2, 3].map(() => `s-${randomUUID()}`) as [string, string, string];
      const jobs = ids.map((jobId, index) => ({
        queue: index === 1 ? second : queue,
        job: { name: 'call', data: { index }, opts: { jobId, attempts: 3 } },
      }));
      const redis = how === 'together' ? store.redis : withoutScripts();
      const wants = { name: 'wantsForTest', lua: `return 'done', { true, true, false }`, unless: 'never' };
      const parts = { redis, keys: store.keys };
      expect(await enqueueAtomically(parts, wants, [{ keys: [], args: [], jobs }])).toEqual(['done']);
      expect(await queue.getJobState(ids[0])).toBe('waiting');
      expect((await second.getJob(ids[1]))?.data).toEqual({ index: 1 });
      expect(await queue.getJobState(ids[2])).toBe('unknown');
      expect(await store.redis.sismember(store.keys.busy, second.name)).toBe(1);
      expect(await store.redis.zscore(store.keys.bell, second.name)).not.toBeNull();
    });
  });
});
