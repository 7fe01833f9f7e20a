import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestProject, type TestSpecification } from 'vitest/node';
import { keptWorker } from './kept-worker.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const { WRAPUP_MUTATED_TESTS = '' } = process.env;

/** Packages of the repository as they stand beside this file, where the mutants are: the links in node_modules lead to the originals. */
const ownPackages = {
  name: 'own-packages',
  enforce: 'pre' as const,
  resolveId(id: string): string | undefined {
    const [, name, path = ''] = /^@wrapup\/([^/]+)(\/.+)?$/.exec(id) ?? [];
    if (!name) return;
    const { exports } = JSON.parse(readFileSync(resolve(ROOT, 'packages', name, 'package.json'), 'utf8'));
    return resolve(ROOT, 'packages', name, typeof exports === 'string' ? exports : exports[`.${path}`]);
  },
};

const keepWorker = {
  name: 'keep-worker',
  configureVitest({ project }: { project: TestProject }): void {
    if (process.env.KEEP !== 'no') {
      project.config.pool = keptWorker.name as never;
      project.config.poolRunner = keptWorker;
    }
  },
};

/** The first test that fails ends a run: the file that noticed the mutant before comes first, then those that take least. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const last = new Map(files.map((file) => [file, this.ctx.cache.getTestSpecificationResult(file)]));
    const cost = (file: TestSpecification) => (last.get(file)?.failed ? -1 : (last.get(file)?.duration ?? 0));
    return files.toSorted((one, other) => cost(one) - cost(other));
  }
}

export default defineConfig({
  root: ROOT,
  plugins: [ownPackages, keepWorker],
  test: {
    include: WRAPUP_MUTATED_TESTS.split(','),
    // What is kept of a transformed file knows nothing of the mutant in it.
    fsModuleCache: false,
    isolate: false,
    sequence: { sequencer: QuickestFirst },
    setupFiles: ['test/mutation/fresh-modules.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
