import { Failure, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { describe, expect, it } from 'vitest';
import { Coalescer } from '../src/deliveries/delivery-batcher.ts';

const plan = (key: string) => ({ key }) as Plan;
const written = (key: string): WriteOutcome => ({
  ok: true,
  receipt: { records: [{ name: 'call_log', object: 'calls', id: key, did: 'created' }], requests: 1, notes: [] },
});

/** A destination that answers when it is told to. */
function gate({
  batch = 3,
  flights = 1,
  quiet = 0,
  longest = 0,
  alone = Number.POSITIVE_INFINITY,
  coming = (): number => 0,
} = {}) {
  const sizes: number[] = [];
  const open: (() => void)[] = [];
  const coalescer = new Coalescer({
    batch,
    flights,
    alone,
    quiet,
    longest,
    coming,
    write: (plans) => {
      sizes.push(plans.length);
      return new Promise((resolve) => open.push(() => resolve(plans.map(({ key }) => written(key)))));
    },
  });
  return { coalescer, sizes, open };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('coalescer', () => {
  it('lets a lone plan go at once, and those that follow it closely together', async () => {
    const { coalescer, sizes, open } = gate({ batch: 100, flights: 2, quiet: 60_000, longest: 60_000, alone: 0 });
    const outcome = coalescer.submit(plan('a'));
    expect(sizes).toEqual([1]);
    void coalescer.submit(plan('b'));
    void coalescer.submit(plan('c'));
    await turn();
    expect(sizes).toEqual([1]);
    open[0]?.();
    expect(await outcome).toEqual(written('a'));
  });

  it('lets a plan that comes soon after another wait for company for a moment', async () => {
    const { coalescer, sizes } = gate({ quiet: 1, longest: 60_000 });
    void coalescer.submit(plan('a'));
    expect(sizes).toEqual([]);
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([1]);
  });

  it('lets a full batch go at once', async () => {
    const { coalescer, sizes } = gate({ quiet: 60_000, longest: 60_000 });
    for (const key of ['a', 'b', 'c', 'd']) void coalescer.submit(plan(key));
    await turn();
    expect(sizes).toEqual([3]);
  });

  it('sends plans that come one after another together, while somebody is still coming', async () => {
    const { coalescer, sizes } = gate({ batch: 100, quiet: 500, longest: 60_000 });
    for (const key of ['a', 'b', 'c', 'd']) {
      void coalescer.submit(plan(key));
      await turn();
    }
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([4]);
  });

  it('lets not even the first leave without those that are on the way', async () => {
    let others = 3;
    const { coalescer, sizes } = gate({ batch: 100, quiet: 1, longest: 60_000, alone: 0, coming: () => others });
    for (const key of ['a', 'b', 'c']) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      expect(sizes).toEqual([]);
      others -= 1;
      void coalescer.submit(plan(key));
    }
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([3]);
  });

  it('lets nobody wait longer than it may for one that is on the way and does not come', async () => {
    const { coalescer, sizes } = gate({ quiet: 1, longest: 30, alone: 0, coming: () => 1 });
    void coalescer.submit(plan('a'));
    expect(sizes).toEqual([]);
    while (sizes.length === 0) await turn();
    expect(sizes).toEqual([1]);
  });

  it('lets nobody wait for company that keeps coming', async () => {
    const { coalescer, sizes } = gate({ batch: 1000, quiet: 60_000, longest: 30 });
    let submitted = 0;
    while (sizes.length === 0) {
      void coalescer.submit(plan(`${submitted}`));
      submitted += 1;
      await turn();
    }
    expect(sizes).toEqual([submitted]);
  });

  it('gathers what comes while the line is busy, up to the batch size', async () => {
    const { coalescer, sizes, open } = gate();
    const first = coalescer.submit(plan('a'));
    await turn();
    const rest = ['b', 'c', 'd', 'e'].map((key) => coalescer.submit(plan(key)));
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
    const coalescer = new Coalescer({
      batch: 10,
      flights: 1,
      alone: Number.POSITIVE_INFINITY,
      write: async (plans) => {
        calls += 1;
        if (calls === 1) throw new Failure('unavailable', 'down');
        return plans.map(({ key }) => written(key));
      },
    });
    const [a, b] = await Promise.all([coalescer.submit(plan('a')), coalescer.submit(plan('b'))]);
    expect([a, b]).toMatchObject([
      { ok: false, failure: { code: 'unavailable' } },
      { ok: false, failure: { code: 'unavailable' } },
    ]);
    expect(await coalescer.submit(plan('c'))).toEqual(written('c'));
  });

  it('does not lose a plan that the destination forgot to answer for', async () => {
    const coalescer = new Coalescer({ batch: 10, flights: 1, write: async () => [] });
    expect(await coalescer.submit(plan('a'))).toMatchObject({
      ok: false,
      failure: { code: 'unaccounted', next: 'retry' },
    });
  });
});
