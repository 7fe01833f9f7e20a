/** What a fault is, and what it is made of. */
import type { FaultSpec } from '@wrapup/sandbox';
import { makeRandom, type Random } from '../../support/random.ts';
import type { Setup } from '../setup.ts';
import type { FaultSystem } from '../system.ts';
import type { WorkloadOptions } from '../workload.ts';

export interface Scene {
  system: FaultSystem;
  random: Random;
  /** Resolves when so much of all calls (0 to 1) has been sent. */
  until(share: number): Promise<void>;
}

export interface Fault {
  /** For the command line: `npm run test:faults -- worker-killed`. */
  name: string;
  /** For the table. */
  what: string;
  /** What of the installation is otherwise. */
  setup?: Partial<Setup>;
  workload?: Partial<WorkloadOptions>;
  /** Why it is no half of a pair. */
  alone?: string;
  /** It takes the shim that notes what is synced: Linux and a C compiler. */
  needsPower?: boolean;
  /** It takes a checkout of another release: `--release`. */
  needsRelease?: boolean;
  act(scene: Scene): Promise<void>;
  /** Once all runs again. */
  afterwards?(system: FaultSystem): Promise<void>;
}

/** Does something at several moments of a run. */
export function atMoments(count: number, act: (scene: Scene, nth: number) => Promise<void>): Fault['act'] {
  return async (scene) => {
    const moments = Array.from({ length: count }, () => 0.05 + scene.random() * 0.85).sort((a, b) => a - b);
    for (const [nth, share] of moments.entries()) {
      await scene.until(share);
      await act(scene, nth);
    }
  };
}

/** The CRM fails so at several moments, for so many requests each time. */
export function crm(count: number, specs: (random: Random) => FaultSpec[]): Fault['act'] {
  return atMoments(count, async ({ system, random }) => {
    system.sandbox.control.fault(...specs(random).map((spec) => ({ api: 'hubspot', ...spec })));
  });
}

/** Requests that change something. */
export const WRITES = '/batch/(create|upsert|update)|/associations/';

/** Fetches from the voice platform what is not in the ledger, as an operator would: again where it says that it failed. */
export async function reconcile(system: FaultSystem): Promise<void> {
  for (let tries = 1; !(await system.wrapup('reconcile', '--grace', '0s')); tries += 1)
    if (tries === 5) throw new Error('wrapup reconcile failed five times');
}

/** Both at once, each at moments of its own. */
export function pairOf(one: Fault, other: Fault): Fault {
  return {
    name: `${one.name} + ${other.name}`,
    what: `${one.what}; ${other.what}`,
    workload: { ...one.workload, ...other.workload },
    act: async ({ system, random, until }) => {
      const seeds = [random(), random()].map((value) => Math.floor(value * 2 ** 31));
      const acts = [one, other].map(({ act }, n) => act({ system, until, random: makeRandom(seeds[n] as number) }));
      await Promise.all(acts);
    },
    afterwards: async (system) => {
      for (const { afterwards } of [one, other]) await afterwards?.(system);
    },
  };
}
