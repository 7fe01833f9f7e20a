/** A hundred seeds of `npm run explore`, and that what it finds can be repeated and read. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explore } from './exploration.ts';
import { type OpenGround, openGround } from './ground.ts';
import { shrink } from './shrink.ts';
import { describeRun, list } from './story.ts';
import type { LogEntry } from './world/world.ts';

const STEPS = 120;

let ground: OpenGround;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

it('in a hundred seeds no promise is broken, whatever crashes, is lost, comes late or twice', async () => {
  const broken: string[] = [];
  let troubles = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const run = await explore(ground, { seed, steps: STEPS });
    for (const times of run.troubles.values()) troubles += times;
    broken.push(...run.violations.map((violation) => `seed ${seed}: ${violation}`));
  }
  expect(broken).toEqual([]);
  // Else it proves nothing.
  expect(troubles).toBeGreaterThan(100);
});

it('the same seed gives the same log, step by step', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const [first, second] = [
      await explore(ground, { seed, steps: STEPS }),
      await explore(ground, { seed, steps: STEPS }),
    ];
    expect(list(second)).toEqual(list(first));
    expect(second.digest).toBe(first.digest);
  }
});

it('a seed that fails shrinks to a story with nothing in it but what it takes', async () => {
  const cause = 'crashes after Redis has done it';
  const further = (log: readonly LogEntry[]) =>
    log.some(({ trouble, what }) => trouble === cause && /^wrapup/.test(what)) ? ['test: a worker crashed'] : [];
  for (let seed = 1; ; seed += 1) {
    const options = { seed, steps: STEPS, further };
    const run = await explore(ground, options);
    if (run.violations.length === 0) continue;
    const short = await shrink(ground, options, run);
    const troubles = short.log.filter(({ trouble }) => trouble);
    expect(troubles.map(({ trouble }) => trouble)).toContain(cause);
    expect(troubles.length).toBeLessThanOrEqual(2);
    const story = describeRun(short);
    expect(story.length).toBeLessThan(60);
    expect(story.at(-1)).toBe('BROKEN: test: a worker crashed');
    return;
  }
});
