import { resolve } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import { plantOf, withPlant } from './test/explore/planted/plants.ts';
import { LongestFirst } from './test/support/longest-first.ts';
import { PATIENCE } from './test/support/patience.ts';

/** They measure the memory of their process, or look at what it has loaded. */
const ALONE = ['apps/ingress/test/collect-body.test.ts', 'apps/ingress/test/inbound.lazy-client.test.ts'];

/** Puts the fault that is named in the environment into its source file: `npm run explore -- --planted`. */
function plantFault(name: string) {
  const plant = plantOf(name);
  const file = resolve(import.meta.dirname, plant.file);
  return {
    name: 'plant-fault',
    enforce: 'pre' as const,
    transform: (source: string, id: string) => (id.split('?', 1)[0] === file ? withPlant(plant, source) : undefined),
  };
}

const { WRAPUP_PLANT: planted } = process.env;

export default defineConfig({
  plugins: planted ? [plantFault(planted)] : [],
  test: {
    // What is kept of a transformed file knows nothing of the fault in it.
    fsModuleCache: !planted,
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Most tests wait for sockets and processes: one worker less than there are processors, the default, would leave them idle.
    // With more than three, processes that tests start miss the deadlines that they are built for, as of an inbound call.
    maxWorkers: 3,
    // Limits are for what hangs, and never decide a test: a machine that many share is ten times slower than one alone.
    // Nor has a test one of its own.
    testTimeout: 5 * PATIENCE,
    hookTimeout: 5 * PATIENCE,
    expect: { poll: { timeout: PATIENCE } },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['{apps,packages}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // Files of one process share what they have loaded: to load it for each took a third of the time. What a file
          // changes it puts back, and no helper keeps state or registers hooks when it is loaded.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
