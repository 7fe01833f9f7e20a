/** One word for one thing: an exported type has a name that no other file exports. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const EXPORTED = /^export (?:abstract )?(?:interface|type|class) (\w+)/gm;

test('exported types have names of their own', () => {
  const files = globSync('{packages,apps}/*/src/**/*.ts', { cwd: ROOT });
  const names = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(EXPORTED)].map(([, name]) => ({ name, file })),
  );
  expect(names.length).toBeGreaterThan(300);
  const shared = Map.groupBy(names, ({ name }) => name)
    .values()
    .map((all) => [...new Set(all.map(({ file, name }) => `${name} in ${file}`))])
    .filter((all) => all.length > 1);
  expect([...shared]).toEqual([]);
});
