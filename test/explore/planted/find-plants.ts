/** Runs the explorer with each planted fault, and says by which seed it was found. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PLANTS, type Plant } from './plants.ts';

const AT_ONCE = 2;

export interface FoundPlant {
  name: string;
  what: string;
  /** Absent: none of the seeds found it. */
  seed?: number;
  /** What it broke. */
  broke?: string;
  /** From the first seed on. */
  seconds: number;
}

interface Tried {
  /** Seeds that are tried for each, at most. */
  seeds: number;
  steps: number;
}

/** @param only the name of one; all when it is empty @param report called for each as it ends */
export async function findPlants(
  only: string,
  tried: Tried,
  report: (found: FoundPlant) => void,
): Promise<FoundPlant[]> {
  const waiting = PLANTS.filter(({ name }) => only === '' || name === only);
  if (waiting.length === 0)
    throw new Error(`No fault ${only}: there are ${PLANTS.map(({ name }) => name).join(', ')}.`);
  const found: FoundPlant[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let plant = waiting.shift(); plant; plant = waiting.shift()) {
        const one = await findPlant(plant, tried);
        found.push(one);
        report(one);
      }
    }),
  );
  const orderOf = ({ name }: FoundPlant) => PLANTS.findIndex((plant) => plant.name === name);
  return found.sort((a, b) => orderOf(a) - orderOf(b));
}

async function findPlant({ name, what }: Plant, { seeds, steps }: Tried): Promise<FoundPlant> {
  const args = ['--import', join(import.meta.dirname, 'plant.ts'), join(import.meta.dirname, '../main.ts')];
  const options = ['--seeds', String(seeds), '--steps', String(steps), '--first'];
  const env = { ...process.env, WRAPUP_PLANT: name };
  const child = spawn(process.execPath, [...args, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (part: Buffer) => {
    said += part;
  });
  child.stderr.on('data', (part: Buffer) => {
    said += part;
  });
  await new Promise((resolve) => child.once('close', resolve));
  const [, seed, broke] = /^seed (\d+): ([^\n]*)/m.exec(said) ?? [];
  const seconds = /; (\d+) s, /.exec(said)?.[1];
  if (seconds === undefined) throw new Error(`${name}: the explorer ended early:\n${said.slice(-1500)}`);
  return { name, what, seconds: Number(seconds), ...(seed && broke ? { seed: Number(seed), broke } : {}) };
}
