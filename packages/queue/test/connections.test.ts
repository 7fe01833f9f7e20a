import { Failure, type FailureCode, type WriteOutcome } from '@wrapup/destination';
import { type ConnectionOptions, Queue } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { CAUSES, causeOf, explainPause, judgeOutcomes, MAX_OUTAGES, openStore, type Store } from '../src/index.ts';

let store: Store;
let other: Store;
let name: string;
let count = 0;

beforeAll(async () => {
  const prefix = freshPrefix();
  const open = () => openStore({ url: redisUrl(), prefix, role: 'worker', onError() {} });
  [store, other] = [open(), open()];
  await Promise.all([store.connected(PATIENCE), other.connected(PATIENCE)]);
});
afterAll(() => Promise.all([store.close(), other.close()]));
beforeEach(() => {
  name = `c${count++}`;
});

const failed = (code: FailureCode, hint?: string): WriteOutcome => ({
  ok: false,
  failure: new Failure(code, `The CRM said ${code}.`, hint ? { hint } : {}),
});
const written: WriteOutcome = { ok: true, receipt: { records: [], requests: 1, notes: [] } };
const isPaused = () => other.queues.deliveries(name).isPaused();
const note = (...outcomes: WriteOutcome[]) => store.connections.note(name, outcomes);

/** Opens it and lets a probe be answered. */
async function bringToTrial(code: FailureCode = 'unauthorized') {
  await note(failed(code));
  await store.connections.probeNow(name);
  const pause = await store.connections.claimProbe(name);
  if (!pause) throw new Error('no probe was due');
  await store.connections.endProbe(name, pause);
}

describe('what a batch says of its connection', () => {
  it.each([
    ['refused credentials, whatever else was written', [written, failed('unauthorized')], 'broken'],
    ['a missing scope', [failed('missing_scope')], 'broken'],
    ['the daily quota used up', [failed('daily_limit')], 'broken'],
    ['no answer', [failed('timeout'), failed('network'), failed('unavailable')], 'unanswered'],
    ['no answer for some, an answer for others', [failed('timeout'), written], 'answered'],
    ['a refused field: the CRM answered', [failed('invalid_field')], 'answered'],
    ['an ambiguous person: the CRM answered', [failed('ambiguous_person')], 'answered'],
    ['quota and locks', [failed('throttled'), failed('locked'), failed('busy')], 'nothing'],
    ['a mistake of ours', [failed('internal')], 'nothing'],
  ])('%s', (_what, outcomes, says) => {
    expect(judgeOutcomes(outcomes as WriteOutcome[]).says).toBe(says);
  });

  it('names one of a closed set of causes', () => {
    const gone = new Failure('gone', 'It wants no more.', { next: 'reauthenticate' });
    expect(
      [failed('unauthorized'), failed('missing_scope'), failed('daily_limit')].map(
        (one) => !one.ok && causeOf(one.failure),
      ),
    ).toEqual(CAUSES.slice(0, 3));
    expect(causeOf(gone)).toBe('endpoint_closed');
    expect(causeOf(new Failure('timeout', 'late'))).toBeUndefined();
  });
});

describe('a connection that breaks', () => {
  it('stops its queue for every process, and says why, since when and what to do', async () => {
    const before = Date.now();
    expect(await note(failed('unauthorized', 'Put in a valid key.'))).toMatchObject({ became: 'opened' });
    expect(await isPaused()).toBe(true);
    const state = await other.connections.read(name);
    expect(state).toMatchObject({
      circuit: 'open',
      pause: { cause: 'unauthorized', reason: 'The CRM said unauthorized.', hint: 'Put in a valid key.', tries: 0 },
    });
    expect(state.pause?.since).toBeGreaterThanOrEqual(before);
    expect((state.pause?.next_probe ?? 0) - (state.pause?.since ?? 0)).toBe(30_000);
    expect(explainPause(state)).toBe(
      `Connection ${name} is paused: its credentials are refused. Last failure: The CRM said unauthorized.`,
    );
    // Others that were under way when it opened change nothing.
    expect(await note(failed('daily_limit'))).toBeUndefined();
    expect(await note(written)).toBeUndefined();
    expect((await store.connections.read(name)).circuit).toBe('open');
  });

  it('opens for outages only after some in a row, counted over all processes', async () => {
    for (let i = 1; i < MAX_OUTAGES; i += 1) await (i % 2 ? store : other).connections.note(name, [failed('timeout')]);
    await note(written);
    for (let i = 1; i < MAX_OUTAGES; i += 1) expect(await note(failed('network'))).toBeUndefined();
    expect(await isPaused()).toBe(false);
    expect(await other.connections.note(name, [failed('unavailable')])).toMatchObject({
      became: 'opened',
      pause: { cause: 'outage' },
    });
    expect(await isPaused()).toBe(true);
  });

  it('is probed by one process at a time, at growing distances up to a limit', async () => {
    await note(failed('unauthorized'));
    expect(await store.connections.claimProbe(name)).toBeUndefined();
    const waits: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      await store.connections.probeNow(name);
      const claims = await Promise.all([store, other, store].map((one) => one.connections.claimProbe(name)));
      const [pause, ...rest] = claims.filter((claim) => claim !== undefined);
      expect([pause !== undefined, rest]).toEqual([true, []]);
      const at = Date.now();
      await store.connections.endProbe(name, pause as never, new Failure('unauthorized', 'Still refused.'));
      waits.push(Math.round((((await store.connections.read(name)).pause?.next_probe ?? 0) - at) / 1000));
    }
    expect(waits).toEqual([60, 120, 240, 480, 900, 900, 900]);
    expect((await store.connections.read(name)).pause).toMatchObject({ reason: 'Still refused.', tries: 7 });
  });

  it('takes over another cause when a probe finds one', async () => {
    for (let i = 0; i < MAX_OUTAGES; i += 1) await note(failed('timeout'));
    await store.connections.probeNow(name);
    const pause = await store.connections.claimProbe(name);
    await store.connections.endProbe(name, pause as never, new Failure('unauthorized', 'Refused.'));
    expect((await store.connections.read(name)).pause).toMatchObject({ cause: 'unauthorized', since: pause?.since });
  });

  it('goes on when a probe is answered, and is well when something was written', async () => {
    await bringToTrial();
    expect(await isPaused()).toBe(false);
    expect((await store.connections.read(name)).circuit).toBe('trial');
    expect(await note(written)).toMatchObject({ became: 'closed', pause: { cause: 'unauthorized' } });
    expect(await store.connections.read(name)).toEqual({ connection: name, circuit: 'closed' });
  });

  it('is the same pause with a longer wait when it fails again on trial', async () => {
    await bringToTrial();
    const { pause: before } = await store.connections.read(name);
    const change = await note(failed('missing_scope'));
    expect(change).toMatchObject({
      became: 'reopened',
      pause: { cause: 'missing_scope', since: before?.since, tries: 1 },
    });
    expect(await isPaused()).toBe(true);
  });

  it('needs one outage only to open again on trial, and is well when nothing more is heard', async () => {
    await bringToTrial();
    expect(await note(failed('timeout'))).toMatchObject({ became: 'reopened' });
    const one = name;
    name = `${one}-b`;
    await bringToTrial();
    expect(await store.connections.endTrial(name, Date.now() - 60_000)).toBeUndefined();
    expect(await store.connections.endTrial(name, Date.now() + 1)).toMatchObject({ became: 'closed' });
    expect((await store.connections.read(name)).circuit).toBe('closed');
  });
});

describe('an operator', () => {
  it('pauses and resumes, with a reason that every process sees', async () => {
    await store.connections.pause(name, 'moving to another portal');
    expect(await isPaused()).toBe(true);
    expect(explainPause(await other.connections.read(name))).toBe(
      `Connection ${name} is paused by an operator: moving to another portal.`,
    );
    await store.connections.pause(name, 'another reason');
    expect((await store.connections.read(name)).operator?.reason).toBe('moving to another portal');
    await other.connections.resume(name, { name: 'ada' });
    expect(await isPaused()).toBe(false);
    const { operator, resumed } = await store.connections.read(name);
    expect(operator).toBeUndefined();
    expect(resumed).toEqual({ at: expect.any(Number), by: 'ada' });
  });

  it('cannot lift a pause of the circuit, and the circuit cannot lift theirs', async () => {
    await note(failed('unauthorized'));
    await store.connections.pause(name);
    const resumed = await store.connections.resume(name);
    expect(resumed).toMatchObject({ circuit: 'open' });
    expect(resumed.operator).toBeUndefined();
    expect(await isPaused()).toBe(true);
    // What it can do is have the connection asked at once.
    const pause = await store.connections.claimProbe(name);
    expect(pause).toBeDefined();

    await store.connections.pause(name);
    await store.connections.endProbe(name, pause as never);
    expect((await store.connections.read(name)).circuit).toBe('trial');
    expect(await isPaused()).toBe(true);
    await store.connections.resume(name);
    expect(await isPaused()).toBe(false);
  });

  it('corrects the queue where it is not as the state says', async () => {
    await store.connections.pause(name);
    await store.queues.deliveries(name).resume();
    await other.connections.syncQueuePause(name);
    expect(await isPaused()).toBe(true);
  });
});

describe('connections in Redis', () => {
  it('are those with calls; one that was only looked at is gone with its last call', async () => {
    const queue = store.queues.deliveries(name);
    await queue.isPaused();
    await queue.add('delivery', {} as never);
    expect(await other.queues.connections()).toContain(name);
    await queue.drain();
    expect(await other.queues.connections()).not.toContain(name);
  });
});

describe('connections with a queue', () => {
  it('are found of earlier versions by a search through all keys, once, and by a note from then on', async () => {
    const own = await openTestStore();
    try {
      const ofEarlier = (name: string) =>
        new Queue(name, { connection: own.redis as ConnectionOptions, prefix: own.keys.prefix });
      const left = ofEarlier('deliveries.left');
      await left.add('delivery', { call_id: 'x' });
      // Who only looks writes nothing, and searches again.
      expect(await own.queues.connections()).toEqual(['left']);
      expect(await own.redis.exists(own.keys.connections)).toBe(0);
      expect(await own.queues.connections({ note: true })).toEqual(['left']);
      await own.queues.deliveries('noted').add('delivery', { call_id: 'y' } as never);
      // A search would find this one.
      await ofEarlier('deliveries.unnoted').add('delivery', { call_id: 'z' });
      expect(await own.queues.connections()).toEqual(['left', 'noted']);
    } finally {
      await own.close();
    }
  });
});
