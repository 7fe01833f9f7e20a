/** What docs/reliability.md says of exploring, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '../support/section.ts';
import type { FoundPlant } from './planted/find-plants.ts';
import { PLANTS } from './planted/plants.ts';

const FIGURES = join(import.meta.dirname, 'results.json');

export interface ExploredFigures {
  seeds: number;
  steps: number;
  /** Seeds that broke something. */
  broken: number;
  /** Steps in which things may go wrong, of each seed. */
  most: number;
  /** How often each thing went wrong. */
  troubles: Record<string, number>;
  /** ISO 8601 date. */
  date: string;
}

export function publishExplored(figures: ExploredFigures): void {
  writeFileSync(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
}

const PLANTED = join(import.meta.dirname, 'planted', 'results.json');

/** Results of a fault replace those that were there of it; of faults that are gone nothing is kept. */
export function publishPlanted(found: readonly FoundPlant[]): void {
  const before: FoundPlant[] = existsSync(PLANTED) ? JSON.parse(readFileSync(PLANTED, 'utf8')) : [];
  const all = new Map([...before, ...found].map((one) => [one.name, one]));
  const known = PLANTS.flatMap(({ name }) => all.get(name) ?? []);
  writeFileSync(PLANTED, `${JSON.stringify(known, undefined, 2)}\n`);
}

export function exploredSection(): Section {
  const { seeds, steps, broken, most, troubles, date } = JSON.parse(readFileSync(FIGURES, 'utf8')) as ExploredFigures;
  const sorted = Object.entries(troubles).sort(([, a], [, b]) => b - a);
  const sum = sorted.reduce((total, [, times]) => total + times, 0);
  const found = JSON.parse(readFileSync(PLANTED, 'utf8')) as FoundPlant[];
  const rows = found.map(({ name, what, seed, test, broke = '', seconds }) => {
    const by = seed === undefined ? (test ? `\`${test}\`` : 'not found') : `seed ${seed}: ${broke.split(':', 1)[0]}`;
    return `| \`${name}\` | ${what} | ${by} | ${seconds} |`;
  });
  const missed = found.filter(({ seed, test }) => seed === undefined && !test).length;
  const again = `\`npm run explore -- --seeds ${seeds} --steps ${most}\``;
  return {
    inShort: [
      ['Interleavings', `${seeds} seeds, ${steps} steps, ${sum} troubles`, String(broken), again, date],
      [
        'Faults that were planted in the product',
        `${found.length} guards taken away one by one`,
        `${missed} not found`,
        '`npm run explore -- --planted all --seeds 60 --steps 250`',
        '',
      ],
    ],
    blocks: {
      explored: `**${seeds} seeds, ${steps} steps, ${sum} times that something went wrong, ${broken} violations** (${date}; ${again}).

| What went wrong | Times |
| --- | ---: |
${sorted.map(([what, times]) => `| ${what} | ${times} |`).join('\n')}`,
      planted: `| Fault | The guard that is gone | Found by | Seconds |
| --- | --- | --- | ---: |
${rows.join('\n')}`,
    },
  };
}
