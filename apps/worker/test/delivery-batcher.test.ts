import { Failure, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { describe, expect, it } from 'vitest';
import { DeliveryBatcher } from '../src/deliveries/delivery-batcher.ts';

const plan = (key: string) => ({ key }) as Plan;
const written = (key: string): WriteOutcome => ({
  ok: true,
  receipt: { records: [{ name: 'call_log', object: 'calls', id: key, did: 'created' }], requests: 1, notes: [] },
});

/** A destination that answers when the test opens it. */
function gate({
  size = 3,
  batches = 1,
  quiet_ms = 0,
  max_wait_ms = 0,
  alone_ms = Number.POSITIVE_INFINITY,
  linger_ms = 0,
  pending = (): number => 0,
  gather_ms = (): number => 0,
  hands = (): number => Number.POSITIVE_INFINITY,
} = {}) {
  const sizes: number[] = [];
  const open: (() => void)[] = [];
  const batcher = new DeliveryBatcher<Plan, WriteOutcome>({
    size,
    batches,
    ...{ alone_ms, linger_ms, quiet_ms, max_wait_ms, pending, gather_ms, hands },
    write: (plans) => {
      sizes.push(plans.length);
      return new Promise((resolve) => open.push(() => resolve(plans.map(({ key }) => written(key)))));
    },
  });
  return { batcher, sizes, open };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** One plan a turn, until a batch leaves. @returns how many */
async function submitUntilSent({ batcher, sizes }: ReturnType<typeof gate>): Promise<number> {
  let submitted = 0;
  while (sizes.length === 0) {
    void batcher.submit(plan(`${submitted}`), 'live');
    submitted += 1;
    await turn();
  }
  return submitted;
}

describe('batcher', () => {
  it('lets a lone plan go at once, and those that follow it closely together', async () => {
    const { batcher, sizes, open } = gate({
      size: 100,
      batches: 2,
      quiet_ms: 60_000,
      max_wait_ms: 60_000,
      alone_ms: 0,
    });
    const outcome = batcher.submit(plan('a'), 'live');
    expect(sizes).toEqual([1]);
    void batcher.submit(plan('b'), 'live');
    void batcher.submit(plan('c'), 'live');
    await turn();
    expect(sizes).toEqual([1]);
    open[0]?.();
    expect(await outcome).toEqual(written('a'));
  });

  it('lets a plan that comes soon after another wait for others for a moment', async () => {
    const { batcher, sizes } = gate({ quiet_ms: 1, max_wait_ms: 60_000 });
    void batcher.submit(plan('a'), 'live');
    expect(sizes).toEqual([]);
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([1]);
  });

  it('lets a full batch go at once', async () => {
    const { batcher, sizes } = gate({ quiet_ms: 60_000, max_wait_ms: 60_000 });
    for (const key of ['a', 'b', 'c', 'd']) void batcher.submit(plan(key), 'live');
    await turn();
    expect(sizes).toEqual([3]);
  });

  it('sends plans that come one after another together, while others are still coming', async () => {
    const { batcher, sizes } = gate({ size: 100, quiet_ms: 500, max_wait_ms: 60_000 });
    for (const key of ['a', 'b', 'c', 'd']) {
      void batcher.submit(plan(key), 'live');
      await turn();
    }
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([4]);
  });

  it('lets not even the first leave without those that are on the way', async () => {
    let others = 3;
    const { batcher, sizes } = gate({
      size: 100,
      quiet_ms: 1,
      max_wait_ms: 60_000,
      alone_ms: 0,
      pending: () => others,
    });
    for (const key of ['a', 'b', 'c']) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      expect(sizes).toEqual([]);
      others -= 1;
      void batcher.submit(plan(key), 'live');
    }
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([3]);
  });

  it('lets no plan wait longer than it may for one that is on the way and does not come', async () => {
    const { batcher, sizes } = gate({ quiet_ms: 1, max_wait_ms: 30, alone_ms: 0, pending: () => 1 });
    void batcher.submit(plan('a'), 'live');
    expect(sizes).toEqual([]);
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([1]);
  });

  it('lets no plan wait without end for others that keep coming', async () => {
    const line = gate({ size: 1000, quiet_ms: 60_000, max_wait_ms: 30 });
    const submitted = await submitUntilSent(line);
    expect(line.sizes).toEqual([submitted]);
  });

  it('gathers what comes while the line is busy, up to the batch size', async () => {
    const { batcher, sizes, open } = gate();
    const first = batcher.submit(plan('a'), 'live');
    await turn();
    const rest = ['b', 'c', 'd', 'e'].map((key) => batcher.submit(plan(key), 'live'));
    await turn();
    expect(sizes).toEqual([1]);
    open[0]?.();
    await first;
    await turn();
    expect(sizes).toEqual([1, 3]);
    open[1]?.();
    await turn();
    expect(sizes).toEqual([1, 3, 1]);
    open[2]?.();
    expect(await Promise.all(rest)).toEqual(['b', 'c', 'd', 'e'].map(written));
  });

  it('fails every plan of a batch that fails as a whole, and goes on', async () => {
    let calls = 0;
    const batcher = new DeliveryBatcher<Plan, WriteOutcome>({
      size: 10,
      batches: 1,
      alone_ms: Number.POSITIVE_INFINITY,
      write: async (plans) => {
        calls += 1;
        if (calls === 1) throw new Failure('unavailable', 'down');
        return plans.map(({ key }) => written(key));
      },
    });
    const [a, b] = await Promise.all([batcher.submit(plan('a'), 'live'), batcher.submit(plan('b'), 'live')]);
    expect([a, b]).toMatchObject([
      { ok: false, failure: { code: 'unavailable' } },
      { ok: false, failure: { code: 'unavailable' } },
    ]);
    expect(await batcher.submit(plan('c'), 'live')).toEqual(written('c'));
  });

  it('does not lose a plan that the destination forgot to answer for', async () => {
    const batcher = new DeliveryBatcher<Plan, WriteOutcome>({ size: 10, batches: 1, write: async () => [] });
    expect(await batcher.submit(plan('a'), 'live')).toMatchObject({
      ok: false,
      failure: { code: 'unaccounted', next: 'retry' },
    });
  });

  describe('of plans that come alone', () => {
    /** None of them is followed: each is written before the next one comes. */
    async function comeAlone({ batcher, open }: ReturnType<typeof gate>, count: number) {
      for (let n = 0; n < count; n += 1) {
        const outcome = batcher.submit(plan(`lone-${n}`), 'live');
        while (open.length === 0) await turn();
        open.shift()?.();
        await outcome;
        // Longer than what still follows.
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    }

    it('lets the first wait a moment for those that are right behind it', async () => {
      const made = gate({ size: 100, quiet_ms: 1, max_wait_ms: 60_000, alone_ms: 0, linger_ms: 60_000 });
      void made.batcher.submit(plan('a'), 'live');
      await turn();
      expect(made.sizes).toEqual([]);
      void made.batcher.submit(plan('b'), 'live');
      while (made.sizes.length === 0) await turn();
      expect(made.sizes).toEqual([2]);
    });

    it('lets one go at once after three that stayed alone, and waits again once one was followed', async () => {
      const made = gate({ size: 2, quiet_ms: 60_000, max_wait_ms: 60_000, alone_ms: 0, linger_ms: 20 });
      await comeAlone(made, 4);
      const [at] = [made.sizes.length, made.batcher.submit(plan('at once'), 'live')];
      expect(made.sizes).toHaveLength(at + 1);
      void made.batcher.submit(plan('right behind it'), 'live');
      void made.batcher.submit(plan('and another'), 'live');
      while (made.open.length > 0) {
        made.open.shift()?.();
        await turn();
      }
      void made.batcher.submit(plan('waits'), 'live');
      expect(made.sizes).toHaveLength(at + 2);
      while (made.sizes.length === at + 2) await turn();
      expect(made.sizes.slice(at)).toEqual([1, 2, 1]);
    });
  });

  describe('that gathers', () => {
    it('lets plans wait however few come, and a full batch go at once', async () => {
      const { batcher, sizes } = gate({ size: 3, batches: 2, alone_ms: 0, gather_ms: () => 60_000 });
      void batcher.submit(plan('a'), 'live');
      void batcher.submit(plan('b'), 'live');
      await turn();
      expect(sizes).toEqual([]);
      void batcher.submit(plan('c'), 'live');
      void batcher.submit(plan('d'), 'live');
      await turn();
      expect(sizes).toEqual([3]);
    });

    it('lets as many go at once as there can be in hand, also when those become fewer', async () => {
      let hands = 3;
      const { batcher, sizes } = gate({
        ...{ size: 100, batches: 2, alone_ms: 0, gather_ms: () => 60_000 },
        hands: () => hands,
      });
      for (const key of ['a', 'b']) void batcher.submit(plan(key), 'live');
      await turn();
      expect(sizes).toEqual([]);
      void batcher.submit(plan('c'), 'live');
      expect(sizes).toEqual([3]);
      void batcher.submit(plan('d'), 'live');
      expect(sizes).toEqual([3]);
      hands = 1;
      while (sizes.length === 1) await turn();
      expect(sizes).toEqual([3, 1]);
    });

    it('holds none with one that must not be held', async () => {
      const { batcher, sizes } = gate({ size: 100, quiet_ms: 1, alone_ms: 0, gather_ms: () => 60_000 });
      void batcher.submit(plan('a'), 'live');
      await turn();
      expect(sizes).toEqual([]);
      void batcher.submit(plan('large'), 'live', false);
      while (sizes.length === 0) await turn();
      expect(sizes).toEqual([2]);
    });

    it('counts the wait from the first of them', async () => {
      const line = gate({ size: 1_000, alone_ms: 0, gather_ms: () => 100 });
      const submitted = await submitUntilSent(line);
      expect(line.sizes).toEqual([submitted]);
      expect(submitted).toBeGreaterThan(1);
    });

    it('lets go of what it has when it is to gather no longer, by the configuration or at the end', async () => {
      let gather = 60_000;
      const first = gate({ alone_ms: 0, gather_ms: () => gather });
      void first.batcher.submit(plan('a'), 'live');
      await turn();
      gather = 0;
      while (first.sizes.length === 0) await turn();
      const second = gate({ size: 10, alone_ms: 0, gather_ms: () => 60_000 });
      const outcomes = ['a', 'b'].map((key) => second.batcher.submit(plan(key), 'live'));
      second.batcher.stopGathering();
      while (second.sizes.length === 0) await turn();
      expect(second.sizes).toEqual([2]);
      second.open[0]?.();
      expect(await Promise.all(outcomes)).toEqual(['a', 'b'].map(written));
    });
  });
});
