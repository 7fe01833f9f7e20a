/** Before the tests of a mutant, all modules of the repository are loaded anew: what another mutant left in them is gone. */
import { beforeEach, inject } from 'vitest';

interface Worker {
  evaluatedModules: { idToModuleMap: Map<string, unknown>; invalidateModule(module: unknown): void };
}

const world = globalThis as unknown as {
  __vitest_worker__: Worker;
  __stryker__?: { activeMutant?: string };
  mutantBefore?: string;
};
const [mutant, activation] = [inject('activeMutant' as never), inject('mutantActivation' as never)] as string[];

if (mutant !== world.mutantBefore) {
  const { evaluatedModules } = world.__vitest_worker__;
  for (const [id, module] of evaluatedModules.idToModuleMap) {
    if (!/node_modules|fresh-modules|stryker-setup/.test(id)) evaluatedModules.invalidateModule(module);
  }
  world.mutantBefore = mutant;
}
// A mutant that is not in what is done while a module loads becomes active when the tests begin, and not before.
if (activation === 'runtime' && world.__stryker__) world.__stryker__.activeMutant = undefined;

// What compares the time that things take says nothing of a mutant, and takes longest.
beforeEach(({ task, skip }) => {
  if (/costs less than|takes no longer|900,000 turns|100,000 levels|without end/.test(`${task.suite?.name} ${task.name}`)) skip();
});
