/** What docs/reliability.md says of the model, and the figures that it is made of. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '../support/section.ts';
import { MODEL_PLANTS } from './planted.ts';

const FIGURES = join(import.meta.dirname, 'results.json');

export interface ModelFigures {
  traces: number;
  /** Of all traces together. */
  steps: number;
  /** Of each trace. */
  most: number;
  /** Traces after a step of which Redis held something else than the model says. */
  different: number;
  /** Parts of the run in which a state of the model broke an invariant. */
  violated: number;
  /** ISO 8601 date. */
  date: string;
}

export function publishModel(figures: ModelFigures): void {
  writeFileSync(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
}

export function modelSection(): Section {
  const { traces, steps, most, different, violated, date } = JSON.parse(readFileSync(FIGURES, 'utf8')) as ModelFigures;
  const again = `\`npm run model -- --traces ${traces} --steps ${most}\``;
  const broken = `${violated} broke an invariant, after ${different} Redis and the model differed`;
  return {
    inShort: [
      [
        'The model’s traces on the scripts',
        `${traces} traces, ${steps} steps`,
        String(violated + different),
        again,
        date,
      ],
    ],
    blocks: {
      model: `**${traces} traces, ${steps} steps: ${broken}** (${date}; ${again}).
${MODEL_PLANTS.length} guards are taken out of the model one by one, and each time the invariant that needs it is broken: a test, as are forty of the traces.`,
    },
  };
}
