/** Runs the explorer with each planted fault, and says by which seed it was found. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { PLANTS, type Plant, plantOf } from './plants.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const AT_ONCE = 2;

export interface FoundPlant {
  name: string;
  what: string;
  /** Absent: none of the seeds found it. */
  seed?: number;
  /** What it broke. */
  broke?: string;
  /** The file of tests that found it. */
  test?: string;
  /** From the first seed on, or of the tests. */
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
  const waiting = only === '' ? [...PLANTS] : [plantOf(only)];
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

/** A test names what is broken better than a seed does, and sooner: the explorer is asked where there is none. */
async function findPlant(plant: Plant, tried: Tried): Promise<FoundPlant> {
  const { name, what, test } = plant;
  const began = performance.now();
  if (test === undefined || !(await isFoundBy(test, plant))) return exploreWith(plant, tried);
  return { name, what, test, seconds: Math.round((performance.now() - began) / 1000) };
}

async function exploreWith({ name, what }: Plant, { seeds, steps }: Tried): Promise<FoundPlant> {
  const args = ['--import', join(import.meta.dirname, 'plant.ts'), join(import.meta.dirname, '../main.ts')];
  const { said } = await runWith(name, [...args, '--seeds', String(seeds), '--steps', String(steps), '--first']);
  const [, seed, broke] = /^seed (\d+): ([^\n]*)/m.exec(said) ?? [];
  const seconds = /; (\d+) s, /.exec(said)?.[1];
  if (seconds === undefined) throw new Error(`${name}: the explorer ended early:\n${said.slice(-1500)}`);
  return { name, what, seconds: Number(seconds), ...(seed && broke ? { seed: Number(seed), broke } : {}) };
}

/** Whether a test of that file fails, which passes without the fault. */
async function isFoundBy(test: string, { name }: Plant): Promise<boolean> {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const { said, code } = await runWith(name, [vitest, 'run', test]);
  return code !== 0 && /Tests .*failed/.test(said);
}

async function runWith(plant: string, args: string[]): Promise<{ said: string; code: number | null }> {
  const env = { ...process.env, WRAPUP_PLANT: plant };
  const child = spawn(process.execPath, args, { env, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      said += part;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { said, code };
}
