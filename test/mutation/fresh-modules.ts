/**
 * What another mutant left in the modules of the repository must not stay: they are loaded anew for a mutant that is evaluated
 * as they load, after one, and from time to time. For each one it would take several times as long as the tests; what modules keep
 * between calls are a few caches of the same answers.
 */
import fc from 'fast-check';
import { beforeEach, inject } from 'vitest';

/** Mutants that share modules, where none is evaluated as they load. */
const MAX_SHARED = 10;

interface Worker {
  evaluatedModules: { idToModuleMap: Map<string, unknown>; invalidateModule(module: unknown): void };
}

const world = globalThis as unknown as {
  __vitest_worker__: Worker;
  __stryker__?: { activeMutant?: string | undefined };
  loaded?: { mutant: string; isWhole: boolean; shared: number };
};
const [mutant, activation] = [inject('activeMutant' as never), inject('mutantActivation' as never)] as string[];
const isWhole = activation === 'runtime';
const { loaded } = world;

if (loaded?.mutant !== mutant) {
  const isShared = isWhole && loaded?.isWhole === true && loaded.shared < MAX_SHARED;
  if (!isShared) {
    const { evaluatedModules } = world.__vitest_worker__;
    for (const [id, module] of evaluatedModules.idToModuleMap)
      if (!/node_modules|fresh-modules|stryker-setup/.test(id)) evaluatedModules.invalidateModule(module);
  }
  world.loaded = { mutant: mutant ?? '', isWhole, shared: isShared ? loaded.shared + 1 : 0 };
}
// A mutant that is not evaluated as modules load becomes active when the tests begin, and not before.
if (isWhole && world.__stryker__) world.__stryker__.activeMutant = undefined;

// Else a mutant could be noticed in one run and not in the next.
fc.configureGlobal({ seed: 1 });

// What compares the time that things take, or takes long itself, says nothing of a mutant.
beforeEach(({ task, skip }) => {
  const name = `${task.suite?.name} ${task.name}`;
  if (
    /costs less than|takes no longer|MB is read|megabytes of|100,000 (?:levels deep|keys)|without end|in linear time/.test(
      name,
    )
  )
    skip();
});
