/** docs/reliability.md, and beside it the figures that it is made of. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderExplored } from '../explore/report.ts';
import { renderModel } from '../model/report.ts';
import { renderPower } from '../power/report.ts';
import { renderSoak } from '../soak/report.ts';
import { FAULTS } from './faults.ts';
import type { Fault } from './kinds/scene.ts';
import type { Run } from './run-fault.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');
const PAGE = join(DOCS, 'reliability.md');
const FIGURES = join(import.meta.dirname, 'results.json');

/** Writes the page anew from the figures that are there. */
export function renderAgain(): void {
  writeFileSync(PAGE, render(readRuns()));
}

/** A run replaces the one that was there with its fault and seed. */
export function publish(run: Run): void {
  const others = readRuns().filter(({ fault, seed }) => fault !== run.fault || seed !== run.seed);
  const runs = [...others, run].sort((a, b) => orderOf(a.fault) - orderOf(b.fault) || a.seed - b.seed);
  writeFileSync(FIGURES, `${JSON.stringify(runs, undefined, 2)}\n`);
  writeFileSync(PAGE, render(runs));
}

/** Whether this run is there, and all that is measured of one. */
export function isPublished({ name }: Fault, seed: number, calls: number): boolean {
  return readRuns().some(
    (run) => run.fault === name && run.seed === seed && run.calls === calls && run.settled !== undefined,
  );
}

function readRuns(): Run[] {
  return JSON.parse(readFileSync(FIGURES, 'utf8'));
}

/** Pairs, which are no entry of the table, come last. */
function orderOf(name: string): number {
  const at = FAULTS.findIndex((fault) => fault.name === name);
  return at < 0 ? FAULTS.length : at;
}

function render(all: readonly Run[]): string {
  const pairs = all.filter(({ fault }) => fault.includes(' + '));
  const runs = all.filter((run) => FAULTS.some(({ name }) => name === run.fault));
  const rows = FAULTS.flatMap((fault) => {
    const of = runs.filter((run) => run.fault === fault.name);
    if (of.length === 0) return [];
    return [`| \`${fault.name}\` | ${fault.what} | ${seedsOf(of)} | ${figuresOf(of)} |`];
  });
  const { calls, broken } = sum(runs);
  return `# Reliability

What Wrapup promises, put to the test: things are broken while calls come in, and then it is counted what the CRM holds.
This page is written by \`npm run test:faults\`; the faults are in \`test/faults/kinds\`.

**The invariant.** Every acknowledged call (the sender was answered 2xx) ends in exactly one call log of each CRM that it goes to, or in a parked or dead entry
that \`wrapup parked\` or \`wrapup dead\` shows. No call has two, no caller is there twice, no task is missing or there twice, the log
of a call that was written is with its caller and with no one else, and no call is nowhere. It is checked against the record of effects that the sandbox keeps, not against what Wrapup believes.

**A run** is a whole installation: Redis that syncs every write, ingress and workers as processes, and the sandbox as the
CRM. Its calls come over some six seconds, eight at a time; half of the callers are known to the CRM, by a mobile number alone, and their
first call fills in the other; most call more than once, one call in twenty is sent twice at once, three in ten leave a task. A sender that is not answered 2xx sends again up to
five times. The fault strikes at moments that the seed chooses; after it all is repaired, and the run waits until nothing is on its
way any more. Moments depend on the seed, what is in hand at that moment also on the machine.

${runs.length} runs of ${rows.length} faults, ${calls} calls, **${broken} violations**. The last call is settled so many seconds after the last acknowledgement,
in the middle of the runs and at most; the time that a fault still lasts, and that processes take to start, counts. Runs of before 2026-11-30 did not measure it.

| Fault | What happens | Seeds | Calls | Acknowledged | Written | Parked | Dead | Violations | Settled after, s | Run on |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

Calls that were not acknowledged were refused with 503, or their connection broke: a sender that tries longer has them taken
as soon as Redis and ingress are back, and \`reconcile\` finds them at the voice platform in any case. Where a replica takes over that is behind, calls that
were acknowledged meanwhile are not in its ledger: replication is asynchronous, with \`min-replicas-to-write\` too, which bounds how long that may go on. There reconciliation
has to bring them back, and those that had been written before may not be written twice: ${fetchedIn(runs)}.

${journalIn(all)}**What the matrix found** of late, corrected since: ten calls stood still for minutes after a replica had taken over that was behind (\`redis-failover-behind\`, seed 1). A worker had done them
on the primary that was gone, and noted the end of their jobs at the replica, which knew nothing else of it; a job that has ended kept a new one of its name away for up to an hour. The sweep now
takes it out of the way. Docs had said that \`min-replicas-to-write\` keeps a lost primary from taking calls along.
${renderPairs(pairs)}${renderPower()}${renderExplored()}${renderModel()}${renderSoak()}
The tests that hold each promise one by one: [Promises](promises.md).

## Again

Repeat one: \`npm run test:faults -- redis-killed --seeds 3\`; a pair: \`npm run test:faults -- --pairs 1 --from 17\`; the power cuts: \`npm run test:power\`. A few runs of the
matrix and a few power cuts, smaller, are part of \`npm test\`.
`;
}

function renderPairs(pairs: readonly Run[]): string {
  if (pairs.length === 0) return '';
  const { calls, acknowledged, written, parked, dead, broken } = sum(pairs);
  const [middle, most] = settledOf(pairs);
  const rows = pairs.map((run) => {
    const [one, other] = run.fault.split(' + ');
    return `| ${run.seed} | \`${one}\` | \`${other}\` | ${run.acknowledged} of ${run.calls} | ${run.broken.length} | ${run.settled?.toFixed(0)} |`;
  });
  return `
## Pairs

Two faults at once, in one installation; a seed chooses which and when. ${pairs.length} pairs, ${calls} calls, ${acknowledged} acknowledged: ${written} written, ${parked} parked, ${dead} dead,
**${broken} violations**. The last call was settled after ${middle} s in the middle, ${most} s at most. \`npm run test:faults -- --pairs 100\`

| Seed | One | Other | Acknowledged | Violations | Settled after, s |
| ---: | --- | --- | ---: | ---: | ---: |
${rows.join('\n')}
`;
}

function sum(runs: readonly Run[]) {
  const add = (count: (run: Run) => number) => runs.reduce((total, run) => total + count(run), 0);
  return {
    calls: add(({ calls }) => calls),
    acknowledged: add(({ acknowledged }) => acknowledged),
    written: add(({ written }) => written),
    parked: add(({ parked }) => parked),
    dead: add(({ dead }) => dead),
    broken: add(({ broken }) => broken.length),
  };
}

/** The columns of the table that are counted. */
function figuresOf(runs: readonly Run[]): string {
  const { calls, acknowledged, written, parked, dead, broken } = sum(runs);
  const dates = runs.map(({ date }) => date).sort();
  const settled = runs.some((run) => run.settled !== undefined) ? settledOf(runs).join(' / ') : '';
  return [calls, acknowledged, written, parked, dead, broken, settled, dates.at(-1)].join(' | ');
}

/** What the model was asked about. */
function journalIn(runs: readonly Run[]): string {
  const asked = runs.flatMap(({ journal }) => journal ?? []);
  if (asked.length === 0) return '';
  const add = (of: 'calls' | 'states') => asked.reduce((total, one) => total + one[of], 0);
  return `**The journal and the model.** The ledger keeps what is, not what was; Redis' append-only file has each change, those of one script together, whatever process made it and died then.
After a run each change to each call (revisions, deliveries, attempts, leases, what is open and what is listed) and to each connection (pauses, circuit, probes) has to be a step of [the model](model/README.md), and what the CRMs
hold has to come of attempts that began: ${add('states')} changes to ${add('calls')} calls in ${asked.length} runs, pairs included. What the model does not do is a violation of the table above. Where a replica takes over, its file begins later, and is not read.

`;
}

/** What reconciliation brought back, by fault. */
function fetchedIn(runs: readonly Run[]): string {
  const failovers = ['redis-failover-behind', 'redis-failover-min-replicas'].map((name) => {
    const of = runs.filter(({ fault }) => fault === name);
    return `${of.reduce((total, { fetched = 0 }) => total + fetched, 0)} of ${sum(of).acknowledged} in \`${name}\``;
  });
  return failovers.join(', ');
}

/** Whole seconds: the middle of them, and the most. */
function settledOf(runs: readonly Run[]): [number, number] {
  const times = runs.flatMap(({ settled }) => settled ?? []).sort((a, b) => a - b);
  return [times[Math.floor((times.length - 1) / 2)] ?? 0, times.at(-1) ?? 0].map(Math.round) as [number, number];
}

/** `1-20`, or those that there are. */
function seedsOf(runs: readonly Run[]): string {
  const seeds = runs.map(({ seed }) => seed);
  const [first = 0] = seeds;
  const isRow = seeds.length > 2 && seeds.every((seed, n) => seed === first + n);
  return isRow ? `${first}-${seeds.at(-1)}` : seeds.join(', ');
}
