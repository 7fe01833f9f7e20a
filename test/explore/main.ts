/**
 * Explores interleavings of the product's processes, and says what did not hold.
 *
 *   npm run explore                          a thousand seeds, from 1 on
 *   npm run explore -- --seed 17             one, and its whole log
 *   npm run explore -- --from 1001 --seeds 500 --steps 200 --twice
 *
 * `--publish` writes the figures into docs/reliability.md. `--steps` are those in which things go wrong; then everything is repaired and has to come to rest. With `--twice` each seed runs
 * twice, and the two logs must be equal. A seed that fails is shrunk and described in words. `--first` ends with the first that fails.
 *
 * `--planted all`, or the name of one of `planted/plants.ts`, takes a guard away and shows that this is found.
 *
 * Exit code 1 when anything is broken.
 */
import { parseArgs } from 'node:util';
import { renderAgain } from '../faults/report.ts';
import { explore } from './exploration.ts';
import { openGround } from './ground.ts';
import { findPlants } from './planted/find-plants.ts';
import { publishExplored, publishPlanted } from './report.ts';
import { shrink } from './shrink.ts';
import { describeRun, list } from './story.ts';

/** So many seeds at most are shrunk and described. */
const MAX_STORIES = 5;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '200' },
    twice: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    planted: { type: 'string' },
    publish: { type: 'boolean', default: false },
  },
});
const [from, seeds, steps] = [values.seed ?? values.from, values.seed ? '1' : values.seeds, values.steps].map(
  Number,
) as [number, number, number];
if (![from, seeds, steps].every((number) => Number.isInteger(number) && number >= 0)) {
  console.error('Give --seed, --from, --seeds and --steps whole numbers.');
  process.exit(2);
}

if (values.planted !== undefined) {
  const found = await findPlants(
    values.planted === 'all' ? '' : values.planted,
    { seeds, steps },
    ({ name, seed, test, broke, seconds: took }) => {
      const by = seed ? `seed ${seed}, ${took} s: ${broke?.slice(0, 120)}` : (test ?? `NOT FOUND, ${took} s`);
      console.log(`${name}: ${by}`);
    },
  );
  const missed = found.filter(({ seed, test }) => seed === undefined && test === undefined);
  console.log(`${found.length - missed.length} of ${found.length} planted faults found`);
  if (values.publish) {
    publishPlanted(found);
    renderAgain();
  }
  process.exit(missed.length === 0 ? 0 : 1);
}

const ground = await openGround();
const began = performance.now();
const broken: number[] = [];
const troubles = new Map<string, number>();
let taken = 0;
for (let seed = from; seed < from + seeds; seed += 1) {
  const run = await explore(ground, { seed, steps });
  taken += run.steps;
  for (const [what, times] of run.troubles) troubles.set(what, (troubles.get(what) ?? 0) + times);
  if (values.seed) console.log(list(run).join('\n'));
  if (values.twice && (await explore(ground, { seed, steps })).digest !== run.digest) {
    broken.push(seed);
    console.log(`seed ${seed}: two runs of it have different logs`);
  }
  if (run.violations.length === 0) continue;
  broken.push(seed);
  console.log(`seed ${seed}: ${run.violations.join('; ')}`);
  if (values.first) break;
  if (broken.length > MAX_STORIES) continue;
  const short = await shrink(ground, { seed, steps }, run);
  console.log(`\n${describeRun(short).join('\n')}\n\nrepeat it: npm run explore -- --seed ${seed} --steps ${steps}\n`);
}
const seconds = (performance.now() - began) / 1000;
for (const [what, times] of [...troubles].sort(([, a], [, b]) => b - a))
  console.log(`${String(times).padStart(9)}  ${what}`);
console.log(
  `${seeds} seeds from ${from}, ${taken} steps, ${[...troubles.values()].reduce((sum, times) => sum + times, 0)} troubles, ` +
    `${broken.length} broken${broken.length > 0 ? `: ${broken.join(', ')}` : ''}; ${seconds.toFixed(0)} s, ` +
    `${(seeds / seconds).toFixed(1)} seeds a second`,
);
if (values.publish) {
  const date = new Date().toISOString().slice(0, 10);
  const figures = {
    seeds,
    steps: taken,
    broken: broken.length,
    most: steps,
    troubles: Object.fromEntries(troubles),
    date,
  };
  publishExplored(figures);
  renderAgain();
}
await ground.close();
process.exit(broken.length === 0 ? 0 : 1);
