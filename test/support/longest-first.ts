/**
 * The order of the test files. A long one that begins last is waited for while the other processors have nothing to do, so
 * those that take longest begin first. Vitest itself knows how long each took only where it has run before: not in CI, and
 * not in a fresh clone, where it begins with the files of most bytes.
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const ROOT = resolve(import.meta.dirname, '../..');

/** Files of some fifty seconds and more, longest first. Only the order depends on it: what is not here runs all the same. */
const LONGEST: readonly string[] = [
  'test/docs-commands.test.ts',
  'test/explore/a-hundred-seeds.test.ts',
  'packages/hubspot/test/conformance.test.ts',
  'packages/salesforce/test/conformance.test.ts',
  'test/new-destination.test.ts',
  'test/npm-start.test.ts',
  'test/model/traces.test.ts',
  'apps/ingress/test/ingress.attacks.test.ts',
  'test/monitoring/alarms.test.ts',
  'apps/dashboard/test/accessibility.browser.test.ts',
  'test/fuzz/a-minute-of-fuzzing.test.ts',
  'test/demo-week.test.ts',
  'test/site.test.ts',
  'apps/dashboard/test/workbench.browser.test.ts',
  'test/upgrade/roll.test.ts',
];

for (const file of LONGEST)
  if (!existsSync(resolve(ROOT, file)))
    throw new Error(
      `${file} is not there: take it from the list in ${relative(ROOT, import.meta.filename)}, or correct it`,
    );

export class LongestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(specifications);
    const rank = ({ moduleId, project }: TestSpecification) => {
      // Each has a process of its own. Between the others, it would end one that they share, with what that has loaded.
      if (project.config.isolate) return -1;
      const index = LONGEST.indexOf(relative(ROOT, moduleId));
      return index < 0 ? LONGEST.length : index;
    };
    return usual.sort((a, b) => rank(a) - rank(b));
  }
}
