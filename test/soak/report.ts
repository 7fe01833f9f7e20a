/** What comes of a soak, in lines and on docs/reliability.md, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drawSoak } from './chart.ts';
import { type Judged, judge, seriesOf } from './judge.ts';
import { retentionOf, type SoakEnd, type SoakOptions } from './run-soak.ts';
import type { Sample } from './samples.ts';

const FIGURES = join(import.meta.dirname, 'results.json');
const CHART = resolve(import.meta.dirname, '../../docs/soak.svg');
/** Samples of the picture. */
const DRAWN = 240;

export interface Soak {
  options: SoakOptions;
  /** ISO 8601. */
  date: string;
  samples: Sample[];
  end: SoakEnd;
}

interface SoakFigures extends Omit<Soak, 'samples' | 'end'> {
  end: Omit<SoakEnd, 'faults'> & { faults: Record<string, number>; failed: number };
  samples: number;
  warm: number;
  judged: Judged[];
}

/** A file that `npm run soak -- --out` has written. @throws Error for one whose run did not come to its end */
export function readSoak(file: string): Soak {
  const [head, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { end } = lines.at(-1) ?? {};
  if (!end)
    throw new Error(`${file} has no last line {"end": …}: the run did not come to its end, and proves nothing.`);
  return { ...head, samples: lines.slice(0, -1), end };
}

/** Seconds at the beginning that are not judged: until what is kept has been there for a whole `retention.ledger`, and a quarter of the run. */
function warmOf({ options: { minutes }, end: { ran } }: Soak): number {
  return Math.min(Math.max(ran / 4, retentionOf(minutes).ledger_s + 300), ran / 2);
}

export function summarise(soak: Soak): { lines: string[]; isGood: boolean } {
  const { samples, end } = soak;
  const judged = judge(samples, warmOf(soak));
  const isGood = end.broken.length === 0 && judged.every(({ verdict }) => verdict !== 'rises');
  const { acknowledged, written, parked, dead, counts, faults, broken, refused } = end;
  return {
    isGood,
    lines: [
      `${(end.ran / 60).toFixed(1)} minutes, ${JSON.stringify(counts)}`,
      `${acknowledged} acknowledged: ${written} written, ${parked} parked, ${dead} dead; ${broken.length} violations`,
      ...broken.slice(0, 20).map((line) => `  ${line.slice(0, 1000)}`),
      `${faults.length} faults, ${faults.filter(({ failed }) => failed).length} that did not act as they should`,
      ...faults.flatMap(({ fault, failed }) => (failed ? [`  ${fault}: ${failed}`] : [])),
      `Refused by the dashboard: ${JSON.stringify(refused)}`,
      ...judged.map(describe),
    ],
  };
}

function describe({ name, unit, slope, allowed, verdict }: Judged): string {
  if (!slope) return `${name}: too few points`;
  const { level, low, high } = slope;
  const bound = allowed === undefined ? '' : `, allowed ${show(allowed)}`;
  return `${(verdict ?? '').padEnd(9)} ${name}: ${show(level)} ${unit}, ${show(slope.slope)} in an hour (${show(low)} to ${show(high)})${bound}`;
}

export function publishSoak(soak: Soak): void {
  const { samples, end, ...rest } = soak;
  const warm = warmOf(soak);
  const figures: SoakFigures = {
    ...rest,
    end: {
      ...end,
      faults: countOf(end.faults.map(({ fault }) => fault)),
      failed: end.faults.filter(({ failed }) => failed).length,
    },
    ...{ samples: samples.length, warm, judged: judge(samples, warm) },
  };
  writeFileSync(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
  const drawn = seriesOf(samples).map(({ points, ...series }) => {
    const every = Math.ceil(points.length / DRAWN);
    return { ...series, points: points.filter((_, n) => n % every === 0) };
  });
  writeFileSync(CHART, drawSoak(drawn, { warm, ran: end.ran, faults: end.faults }));
}

/** The section of the page; empty where nothing was published. */
export function renderSoak(): string {
  if (!existsSync(FIGURES)) return '';
  const { options, date, end, judged, warm } = JSON.parse(readFileSync(FIGURES, 'utf8')) as SoakFigures;
  const { counts, acknowledged, written, parked, dead, broken, faults } = end;
  const struck = Object.values(faults).reduce((total, times) => total + times, 0);
  const { ledger_s, delivered_s } = retentionOf(options.minutes);
  const rows = judged.map(({ name, unit, slope, allowed, verdict }) => {
    const of = unit && ` ${unit}`;
    const figures = slope
      ? [`${show(slope.level)}${of}`, show(slope.slope), `${show(slope.low)} to ${show(slope.high)}`]
      : ['', '', ''];
    return `| ${[name, ...figures, allowed === undefined ? '' : show(allowed), verdict ?? 'not judged'].join(' | ')} |`;
  });
  return `
## Hours

\`npm run soak\` lets an installation work at the pace of real time while faults of the matrix strike, one every minute or so, and measures it. Calls of new people, of
people whom the CRM knows and of people who called minutes ago go to HubSpot, Salesforce and an HTTP endpoint, twice, in other bytes, and once more when the ledger
has forgotten them; every other caller is looked up first; pages and API of the dashboard are read. Two workers and an ingress are killed and
frozen; one process of each kind lives from the beginning to the end and is measured, after a garbage collection, every twenty seconds. \`retention\` is shortened
(ledger ${ledger_s / 60} minutes, payloads ${delivered_s / 60}), so that what expires does so many times within the run. Each call is checked as in the matrix while the ledger has it, and all together at the end.

**${(end.ran / 60).toFixed(0)} minutes, ${acknowledged} calls acknowledged, ${struck} faults: ${written} written, ${parked} parked, ${dead} dead, ${broken.length} violations** (${date}; \`npm run soak -- --minutes ${options.minutes} --seed ${options.seed}\`). Further:
${counts.duplicates} duplicates, ${counts.revisions} revisions, ${counts.again} calls that came again after the ledger had forgotten them, ${counts.lookups} look-ups of callers, ${counts.pages} pages, ${counts.api} requests to the API, ${counts.events} events.

What operators did, the audit, is kept whatever \`retention\` says, and not counted.

**The rule.** The first ${(warm / 60).toFixed(0)} minutes are left out. Of the rest the slope is the middle of the slopes between all pairs of points (Theil and Sen), with bounds of 99 %
that are widened for points which resemble their neighbours. A figure is *flat* where the upper bound is below what is allowed: 256 bytes of a call in the heap, 1 kB in resident
memory, one handle in a thousand calls, 3 % of Redis and 15 % of processor time in an hour. It *rises* where the lower bound is above zero and the slope above what is allowed, and the command ends with 1.
Else the run was too short or too noisy, and it is *not shown*. The machine was at other work too, so that times of answers and delays of the event loop are not judged.

| What | Middle | Rise in an hour | With 99 % | Allowed | |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

![What was measured over the run](soak.svg)

A leak that is planted is found: \`npm run soak -- --minutes 10 --leak 1000\` has ingress keep 1 kB of each request, and ends with 1; series with and without a slope are a test. Not covered:
days and weeks; packing of the ledger, which begins after half a day; a replica that takes over.
`;
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Three digits. */
function show(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
