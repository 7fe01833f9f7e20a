/** What comes of a soak, in lines and on docs/reliability.md, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Section } from '../support/section.ts';
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
  const samples: Sample[] = lines.slice(0, -1);
  return { ...head, samples, end: { ...end, ran: samples.at(-1)?.at ?? 0 } };
}

/** Until caches are full and each kind of fault has had its code compiled, s: measured, a worker takes some twenty minutes. */
const WARM_S = 1200;

/** Seconds at the beginning that are not judged: also until what is kept has been there for a whole `retention.ledger`, and a quarter of the run. */
function warmOf({ options: { minutes }, end: { ran } }: Soak): number {
  return Math.min(Math.max(ran / 4, retentionOf(minutes).ledger_s + 300, WARM_S), (ran * 2) / 3);
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

export function soakSection(): Section {
  if (!existsSync(FIGURES)) return { inShort: [], blocks: { soak: '' } };
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
  const minutes = Math.round(end.ran / 60);
  const again = `\`npm run soak -- --minutes ${options.minutes} --seed ${options.seed}\``;
  const verdicts = countOf(judged.flatMap(({ verdict }) => verdict ?? []));
  const said = Object.entries(verdicts).map(([verdict, times]) => `${times} ${verdict}`);
  return {
    inShort: [
      [
        'Hours of work',
        `${minutes} minutes, ${acknowledged} calls acknowledged, ${struck} faults; of ${judged.length} figures ${said.join(', ')}`,
        String(broken.length),
        again,
        date,
      ],
    ],
    blocks: {
      soak: `**${minutes} minutes, ${acknowledged} calls acknowledged, ${struck} faults: ${written} written, ${parked} parked, ${dead} dead, ${broken.length} violations** (${date}; ${again}). Further:
${counts.duplicates} duplicates, ${counts.revisions} revisions, ${counts.again} calls that came again after the ledger had forgotten them, ${counts.lookups} look-ups of callers, ${counts.pages} pages, ${counts.api} requests to the API, ${counts.events} events.
\`retention\` was ${ledger_s / 60} minutes for the ledger and ${delivered_s / 60} for payloads; the first ${Math.round(warm / 60)} minutes are not judged.

| What | Middle | Rise in an hour | With 99 % | Allowed | |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

![What was measured over the run](soak.svg)`,
    },
  };
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
