/** docs/reliability.md, and beside it the figures that it is made of. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exploredSection } from '../explore/report.ts';
import { modelSection } from '../model/report.ts';
import { mutationSection } from '../mutation/report.ts';
import { powerSection } from '../power/report.ts';
import { soakSection } from '../soak/report.ts';
import { fillPage, type Section } from '../support/section.ts';
import { FAULTS } from './faults.ts';
import type { Fault } from './kinds/scene.ts';
import type { Run } from './run-fault.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');
export const PAGE = join(DOCS, 'reliability.md');
const FIGURES = join(import.meta.dirname, 'results.json');

/** Writes the figures that are there into the page. */
export function renderAgain(): void {
  writeFileSync(PAGE, renderPage());
}

/** The page with the figures that are there. */
export function renderPage(): string {
  const sections = [
    faultSection(readRuns()),
    powerSection(),
    exploredSection(),
    modelSection(),
    soakSection(),
    mutationSection(),
  ];
  return fillPage(readFileSync(PAGE, 'utf8'), sections);
}

/** A run replaces the one that was there with its fault and seed. */
export function publish(run: Run): void {
  const others = readRuns().filter(({ fault, seed }) => fault !== run.fault || seed !== run.seed);
  const runs = [...others, run].sort((a, b) => orderOf(a.fault) - orderOf(b.fault) || a.seed - b.seed);
  writeFileSync(FIGURES, `${JSON.stringify(runs, undefined, 2)}\n`);
  renderAgain();
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

function faultSection(all: readonly Run[]): Section {
  const pairs = all.filter(({ fault }) => fault.includes(' + '));
  const runs = all.filter((run) => FAULTS.some(({ name }) => name === run.fault));
  const rows = FAULTS.flatMap((fault) => {
    const of = runs.filter((run) => run.fault === fault.name);
    if (of.length === 0) return [];
    return [`| \`${fault.name}\` | ${fault.what} | ${seedsOf(of)} | ${figuresOf(of)} |`];
  });
  const { calls, acknowledged, written, parked, dead, broken } = sum(runs);
  const of_pairs = sum(pairs);
  const [middle, most] = settledOf(pairs);
  const asked = all.flatMap(({ journal }) => journal ?? []);
  const add = (of: 'calls' | 'states') => asked.reduce((total, one) => total + one[of], 0);
  const lastOf = (some: readonly Run[]) =>
    some
      .map(({ date }) => date)
      .sort()
      .at(-1) ?? '';
  const refused = sum(all.filter(({ journal }) => journal)).broken;
  const changes = `${add('states')} changes to ${add('calls')} calls in ${asked.length} runs`;
  return {
    inShort: [
      [
        'One fault at a time',
        `${runs.length} runs of ${rows.length} faults, ${calls} calls`,
        String(broken),
        '`npm run test:faults`',
        lastOf(runs),
      ],
      [
        'Two at once',
        `${pairs.length} pairs, ${of_pairs.calls} calls`,
        String(of_pairs.broken),
        '`npm run test:faults -- --pairs 100`',
        lastOf(pairs),
      ],
      [
        'What these runs left in Redis’ file, asked of the model',
        changes,
        String(refused),
        '`npm run test:faults`',
        lastOf(all.filter(({ journal }) => journal)),
      ],
    ],
    blocks: {
      matrix: `${runs.length} runs of ${rows.length} faults, ${calls} calls, ${acknowledged} acknowledged: ${written} written, ${parked} parked, ${dead} dead, **${broken} violations**.

| Fault | What happens | Seeds | Calls | Acknowledged | Written | Parked | Dead | Violations | Settled after, s | Run on |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}`,
      fetched: `Fetched by reconciliation: ${fetchedIn(runs)}.`,
      journal: `${changes}, pairs included. Violations in these runs: **${refused}**.`,
      pairs: `${pairs.length} pairs, ${of_pairs.calls} calls, ${of_pairs.acknowledged} acknowledged: ${of_pairs.written} written, ${of_pairs.parked} parked, ${of_pairs.dead} dead,
**${of_pairs.broken} violations**. The last call was settled after ${middle} s in the middle, ${most} s at most.

| Seed | One | Other | Acknowledged | Violations | Settled after, s |
| ---: | --- | --- | ---: | ---: | ---: |
${pairs.map(rowOfPair).join('\n')}`,
    },
  };
}

function rowOfPair({ fault, seed, acknowledged, calls, broken, settled }: Run): string {
  const [one, other] = fault.split(' + ');
  return `| ${seed} | \`${one}\` | \`${other}\` | ${acknowledged} of ${calls} | ${broken.length} | ${settled?.toFixed(0)} |`;
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
