/**
 * The fault matrix: every fault with every seed, and the invariant checked after each run.
 *
 *   npm run test:faults                                  all faults, seeds 1 to 5, 200 calls each
 *   npm run test:faults -- redis-killed crm-503          only these
 *   npm run test:faults -- --seeds 11,12 --calls 500     other seeds, more calls
 *   npm run test:faults -- --pairs 100                   a hundred pairs of faults at once, chosen by the seeds 1 to 100
 *   npm run test:faults -- --pairs 1 --from 17           the pair of seed 17
 *   npm run test:faults -- --seeds 1-20 --publish        and keep what comes of it
 *   npm run test:faults -- --render                      only writes the page anew
 *   npm run test:faults -- two-releases --release ../1.2 beside a checkout of another release, with its dependencies
 *   npm run test:faults -- --lanes 4                     so many runs side by side; default 3
 *
 * `--publish` adds each run to test/faults/results.json as soon as it is done, in place of the one with its fault and seed, and
 * writes docs/reliability.md anew: a matrix that is stopped has lost nothing. `--resume` publishes too, and leaves out the runs
 * that are there with as many calls and a time until settled. Exit code 1 when anything is broken.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildShim } from '../power/shim.ts';
import { makeRandom } from '../support/random.ts';
import { choosePair, FAULTS } from './faults.ts';
import { JournalCheck } from './journal.ts';
import { type Fault, pairOf } from './kinds/scene.ts';
import { isPublished, publish, renderAgain } from './report.ts';
import { type Run, runFault } from './run-fault.ts';
import { type Setup, setupFor } from './setup.ts';
import { FaultSystem } from './system.ts';

/** What one installation goes through, one after the other. */
interface Lap {
  fault: Fault;
  setup: Setup;
  seeds: number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1-5' },
    calls: { type: 'string', default: '200' },
    pairs: { type: 'string' },
    from: { type: 'string', default: '1' },
    release: { type: 'string' },
    lanes: { type: 'string', default: '3' },
    publish: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});
if (values.render) {
  renderAgain();
  process.exit(0);
}
const unknown = positionals.filter((name) => !FAULTS.some((fault) => fault.name === name));
if (unknown.length > 0) {
  console.error(`No such fault: ${unknown.join(', ')}. There are: ${FAULTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const calls = Number(values.calls);
const shim = buildShim();
const waiting = (values.pairs === undefined ? singles() : pairs(Number(values.from), Number(values.pairs)))
  .map((lap) => ({ ...lap, seeds: lap.seeds.filter((seed) => !values.resume || !isPublished(lap.fault, seed, calls)) }))
  .filter(({ seeds }) => seeds.length > 0);
const runs: Run[] = [];
let failed = 0;
await Promise.all(
  Array.from({ length: Number(values.lanes) }, async () => {
    for (let lap = waiting.shift(); lap; lap = waiting.shift()) await runLap(lap);
  }),
);
const broken = runs.filter(({ broken }) => broken.length > 0);
console.log(
  `${runs.length} runs, ${broken.length} broken${failed > 0 ? `, ${failed} that did not come to their end` : ''}`,
);
process.exit(broken.length + failed > 0 ? 1 : 0);

function singles(): Lap[] {
  const chosen = FAULTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const other_release = values.release && resolve(values.release);
  const setupOf = (fault: Fault) => ({ ...setupFor([fault.setup ?? {}]), other_release });
  return chosen.filter(canRun).map((fault) => ({ fault, setup: setupOf(fault), seeds: readSeeds() }));
}

function pairs(from: number, count: number): Lap[] {
  return Array.from({ length: count }, (_, n) => {
    const [one, other] = choosePair(makeRandom(from + n));
    const setup = setupFor([one.setup ?? {}, other.setup ?? {}]);
    return { fault: { ...pairOf(one, other), needsPower: [one, other].some(needsPower) }, setup, seeds: [from + n] };
  }).filter(({ fault }) => canRun(fault));
}

/** `1,2,7` or `1-20`. */
function readSeeds(): number[] {
  return values.seeds.split(',').flatMap((part) => {
    const [first = 1, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}

function needsPower(fault: Fault): boolean {
  return fault.needsPower === true;
}

function canRun(fault: Fault): boolean {
  const missing =
    (typeof shim !== 'string' && needsPower(fault) && shim.missing) ||
    (fault.needsRelease && values.release === undefined && 'no --release names the folder of another one');
  if (missing) console.warn(`SKIPPED ${fault.name}: ${missing}`);
  return !missing;
}

async function runLap({ fault, setup, seeds }: Lap): Promise<void> {
  let system: FaultSystem | undefined;
  try {
    system = await FaultSystem.open(setup);
    const journal = new JournalCheck(system);
    for (const seed of seeds) {
      const run = await runFault(system, fault, { seed, calls, journal });
      runs.push(run);
      show(run);
      if (values.publish || values.resume) publish(run);
    }
  } catch (error) {
    // The next one is not to blame.
    failed += 1;
    console.log(`FAILED ${fault.name}: ${(error as Error).stack}`);
  } finally {
    await system?.close();
  }
}

function show(run: Run): void {
  const { broken, fault, seed, acknowledged, calls, written, parked, dead, seconds, settled, fetched, journal } = run;
  console.log(
    `${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${fault} seed ${seed}: ${acknowledged}/${calls} acknowledged, ${written} written, ${parked} parked, ${dead} dead,${fetched === undefined ? '' : ` ${fetched} fetched,`} settled after ${settled?.toFixed(1)} s, ${seconds.toFixed(0)} s, ${journal ? `${journal.states} changes in the journal` : 'no journal'}`,
  );
  for (const line of broken.slice(0, 10)) console.log(`       ${line.slice(0, 1500)}`);
}
