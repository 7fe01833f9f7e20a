/** What docs/reliability.md says of the model, and the figures that it is made of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** The section of the page; empty where nothing was published. */
export function renderModel(): string {
  if (!existsSync(FIGURES)) return '';
  const { traces, steps, most, different, violated, date } = JSON.parse(readFileSync(FIGURES, 'utf8')) as ModelFigures;
  return `
## The model

[The model](model/README.md) says in a few hundred lines what becomes of a call, from the webhook to the CRM, and which five invariants hold
in every state. Quint takes random steps of it; each trace is then replayed on the scripts as they are shipped, with a real Redis, and what Redis
holds is compared with the model after each step.

**${traces} traces, ${steps} steps: ${violated} broke an invariant, after ${different} Redis and the model differed** (${date}; \`npm run model -- --traces ${traces} --steps ${most}\`).
${MODEL_PLANTS.length} guards are taken out of the model one by one, and each time the invariant that needs it is broken: a test, as are forty of the traces.
`;
}
