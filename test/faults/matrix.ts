/**
 * The fault matrix: every fault with every seed, and the invariant checked after each run.
 *
 *   npm run test:faults                                  all faults, seeds 1 to 5, 200 calls each
 *   npm run test:faults -- redis-killed crm-503          only these
 *   npm run test:faults -- --seeds 11,12 --calls 500     other seeds, more calls
 *   npm run test:faults -- --render                      only writes the page anew
 *   npm run test:faults -- --lanes 4                     so many runs side by side; default 3
 *
 * docs/reliability.md is written anew after each fault, whose row replaces the one that was there; not with `--dry-run`. Exit
 * code 1 when anything is broken.
 */
import { parseArgs } from 'node:util';
import { FAULTS, type Fault } from './faults.ts';
import { publish, renderAgain } from './report.ts';
import { type Run, runFault } from './run-fault.ts';
import { FaultSystem } from './system.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    calls: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '3' },
    'dry-run': { type: 'boolean', default: false },
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
const seeds = values.seeds.split(',').map(Number);
const calls = Number(values.calls);
const waiting = FAULTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const runs: Run[] = [];
await Promise.all(
  Array.from({ length: Number(values.lanes) }, async () => {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) await runSeeds(fault);
  }),
);
const broken = runs.filter(({ broken }) => broken.length > 0);
console.log(`${runs.length} runs, ${broken.length} broken`);
process.exit(broken.length > 0 ? 1 : 0);

async function runSeeds(fault: Fault): Promise<void> {
  const system = await FaultSystem.open(fault.workers ?? 1);
  const done: Run[] = [];
  try {
    for (const seed of seeds) {
      const run = await runFault(system, fault, { seed, calls });
      done.push(run);
      console.log(
        `${run.broken.length === 0 ? 'ok    ' : 'BROKEN'} ${fault.name} seed ${seed}: ${run.acknowledged}/${run.calls} acknowledged, ${run.written} written, ${run.parked} parked, ${run.dead} dead, ${run.seconds.toFixed(0)} s`,
      );
      for (const line of run.broken.slice(0, 10)) console.log(`       ${line.slice(0, 1500)}`);
    }
  } finally {
    await system.close();
  }
  runs.push(...done);
  // Fault by fault: what is done stays, also when the rest is not waited for.
  if (!values['dry-run']) publish(done, calls);
}
