/**
 * Power cuts: calls come in over many connections while Redis loses power, and it is counted which acknowledged calls are gone.
 *
 *   npm run test:power                                   ten installations of 10,000 calls and 12 cuts each, and a control
 *   npm run test:power -- --runs 2 --calls 3000 --cuts 5 --from 7
 *
 * The control is the same with `appendfsync everysec` and has to lose calls, or nothing was tested. With `--publish` each run
 * is written into docs/reliability.md when it is done, in place of the one with its seed. Exit code 1 when a call is lost
 * by `always`, or none by `everysec`; 2 where power cannot be cut on this machine.
 */
import { parseArgs } from 'node:util';
import { renderAgain } from '../faults/report.ts';
import { type PowerRun, runPower } from './power-run.ts';
import { publishPower } from './report.ts';
import { buildShim } from './shim.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    from: { type: 'string', default: '1' },
    calls: { type: 'string', default: '10000' },
    cuts: { type: 'string', default: '12' },
    publish: { type: 'boolean', default: false },
  },
});
const shim = buildShim();
if (typeof shim !== 'string') {
  console.error(`Power cannot be cut here: ${shim.missing}.`);
  process.exit(2);
}
const [runs, from, calls, cuts] = [values.runs, values.from, values.calls, values.cuts].map(Number) as [
  number,
  number,
  number,
  number,
];
let lost = 0;
for (let seed = from; seed < from + runs; seed += 1) {
  const run = await runPower({ seed, appendfsync: 'always', calls, cuts, shim });
  lost += run.lost;
  show(run);
}
const control = await runPower({ seed: from, appendfsync: 'everysec', calls, cuts, shim });
show(control);
if (control.lost === 0) console.log('The control has lost nothing: nothing was tested.');
process.exit(lost > 0 || control.lost === 0 ? 1 : 0);

function show(run: PowerRun): void {
  const { seed, appendfsync, acknowledged, seconds, examples } = run;
  const unsynced = run.cuts.filter((cut) => cut.unsynced > 0).length;
  const trimmed = run.cuts.filter((cut) => cut.left === 'trimmed').length;
  console.log(
    `${appendfsync} seed ${seed}: ${acknowledged} acknowledged, ${run.cuts.length} cuts, ${unsynced} with unsynced bytes, ${trimmed} trimmed, ${run.lost} lost, ${run.damaged} damaged, ${seconds.toFixed(0)} s`,
  );
  for (const example of examples) console.log(`       ${example}`);
  if (!values.publish) return;
  publishPower(run);
  renderAgain();
}
