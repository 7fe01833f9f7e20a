import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runFixtures } from '@wrapup/fixtures';
import { listRoots, listTransforms } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { generate } from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FILES = await generate();

test.each(Object.entries(FILES))('%s is what the code says: else run `npm run generate`', (path, text) => {
  const file = join(ROOT, path);
  expect(existsSync(file) && readFileSync(file, 'utf8') === text, `${path} is stale: npm run generate`).toBe(true);
});

test('no schema is left behind by a kind that is gone', () => {
  expect(
    readdirSync(join(ROOT, 'schema'))
      .map((name) => `schema/${name}`)
      .sort(),
  ).toEqual(
    Object.keys(FILES)
      .filter((path) => path.startsWith('schema/'))
      .sort(),
  );
});

test('each recipe that writes to people of a CRM has a picture, and each picture a recipe', () => {
  const folder = join(ROOT, 'docs/recipes');
  const isOfPeople = (name: string) => runFixtures(join(folder, name.replace('.yaml', '.test.yaml'))).kind !== 'http';
  const recipes = readdirSync(folder).filter((name) => /(?<!\.test)\.yaml$/.test(name) && isOfPeople(name));
  const pictures = readdirSync(join(folder, 'pictures'));
  expect(pictures.sort(), 'npm run screenshots').toEqual(recipes.map((name) => name.replace('.yaml', '.png')).sort());
});

test('no page is left behind by a preset that is gone', () => {
  const there = readdirSync(join(ROOT, 'docs/reference/presets')).map((name) => `docs/reference/presets/${name}`);
  expect(there.sort()).toEqual(
    Object.keys(FILES)
      .filter((path) => path.startsWith('docs/reference/presets/'))
      .sort(),
  );
});

test('a page of a preset says what is written, where and how, and what comes out', () => {
  const page = FILES['docs/reference/presets/hubspot-lead-qualification.md'] ?? '';
  expect(page).toContain('| `amount` | `vars.budget`, through `number` | (if_ours) |');
  expect(page).toContain('Written where `vars.qualified` is `true` and not (`vars.wants_callback` is `true`).');
  expect(page).toContain('`contacts.wrapup_budget`');
  expect(page).toContain('\n  dealstage: "qualifiedtobuy"\n');
  expect(FILES['docs/reference/presets/http-event.md']).toContain('Nothing is needed.');
});

test('every transform has an example, every path a description', () => {
  expect(
    listTransforms()
      .filter(({ example }) => !example)
      .map(({ name }) => name),
  ).toEqual([]);
  expect(
    listRoots()
      .filter(({ does }) => does === '')
      .map(({ path }) => path),
  ).toEqual([]);
});

test('every key of the configuration has a description', () => {
  const page = FILES['docs/reference/configuration.md'] ?? '';
  const rows = page.split('\n').filter((line) => /^\| `/.test(line));
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((line) => /\| {1,2}\|$/.test(line))).toEqual([]);
});
