/**
 * Takes random steps of the model in docs/model/, looks whether each state keeps the invariants, and replays the traces on the
 * product's scripts with a real Redis.
 *
 *   npm run model                                    a thousand traces of sixty steps
 *   npm run model -- --traces 100 --steps 40 --seed 9
 *
 * `--publish` writes the figures into docs/reliability.md. Exit code 1 when an invariant is broken or Redis and the model differ.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderAgain } from '../faults/report.ts';
import { openInstallation } from './installation.ts';
import { INVARIANTS, runModel } from './quint.ts';
import { replayTrace } from './replay.ts';
import { publishModel } from './report.ts';
import { readTrace } from './trace.ts';

/** Traces that are on the disk at once: each takes some 150 kB. */
const AT_ONCE = 100;

const { values } = parseArgs({
  options: {
    traces: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    publish: { type: 'boolean', default: false },
  },
});
const [traces, steps, seed] = [values.traces, values.steps, values.seed].map(Number) as [number, number, number];
if (![traces, steps, seed].every((number) => Number.isInteger(number) && number > 0)) {
  console.error('Give --traces, --steps and --seed whole numbers from 1 on.');
  process.exit(2);
}

const installation = await openInstallation();
let [taken, different, violated] = [0, 0, 0];
for (let from = 0; from < traces; from += AT_ONCE) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-traces-'));
  const samples = Math.min(AT_ONCE, traces - from);
  const part = { seed: seed + from, samples, steps };
  if ((await runModel({ ...part, invariants: INVARIANTS, traces: folder })) === 'violated') {
    violated += 1;
    console.log(`seed ${part.seed}: the model breaks an invariant`);
  }
  for (let number = 0; violated === 0 && number < samples; number += 1) {
    const trace = readTrace(join(folder, `${number}.itf.json`));
    const broken = await replayTrace(installation.store, trace);
    taken += trace.length;
    if (!broken) continue;
    different += 1;
    console.log(`seed ${part.seed}, trace ${number}: ${broken}`);
  }
  rmSync(folder, { recursive: true, force: true });
  console.log(`${from + samples} traces, ${taken} steps, ${different} differ`);
}
await installation.close();
if (values.publish) {
  publishModel({ traces, steps: taken, most: steps, different, violated, date: new Date().toISOString().slice(0, 10) });
  renderAgain();
}
process.exit(different + violated === 0 ? 0 : 1);
