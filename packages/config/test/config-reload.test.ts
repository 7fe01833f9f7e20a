import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, type ConfigWatchOptions, loadConfig, watchConfig } from '@wrapup/config';
import type { Finding } from '@wrapup/findings';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const SECOND_ROUTE = `${GOOD.replace('}\n', '}\n')}`.replace(
  '  - { name: sales-calls',
  '  - { name: first, to: sales, mapping: mappings/hubspot.yaml, when: { path: call.outcome, equals: busy } }\n  - { name: sales-calls',
);

/** Waits for what the next looks will bring. */
const soon = (expectation: () => void) => vi.waitFor(expectation, PATIENCE);

async function watched(file: string, options: ConfigWatchOptions = {}) {
  const { config } = await loadConfig({ file, env: options.env ?? ENV });
  if (!config) throw new Error('no config');
  const reloads: Config[] = [];
  const refusals: Finding[][] = [];
  const watch = watchConfig(
    config,
    (next) => reloads.push(next),
    (findings) => refusals.push(findings),
    { env: ENV, every: 20, ...options },
  );
  onTestFinished(() => watch.close());
  return { config, watch, reloads, refusals };
}

function folder() {
  return configFolder({ 'wrapup.yaml': GOOD, 'mappings/hubspot.yaml': MAPPING });
}

test('a changed file is taken over', async () => {
  const file = folder();
  const { watch, reloads, refusals } = await watched(file);
  writeFileSync(file, SECOND_ROUTE);
  await soon(() => expect(reloads).toHaveLength(1));
  expect(watch.config.routes.map(({ name }) => name)).toEqual(['first', 'sales-calls']);
  expect(reloads[0]).toBe(watch.config);
  expect(refusals).toEqual([]);
});

test('a changed mapping is taken over', async () => {
  const file = folder();
  const { config, watch, reloads } = await watched(file);
  writeFileSync(join(dirname(file), 'mappings/hubspot.yaml'), `${MAPPING}person: { ambiguous: oldest }\n`);
  await soon(() => expect(reloads).toHaveLength(1));
  expect(watch.config.routes[0]?.mapping.hash).not.toBe(config.routes[0]?.mapping.hash);
});

test('a file with mistakes leaves the old configuration in force, says why once, and a corrected one is taken', async () => {
  const file = folder();
  const { config, watch, reloads, refusals } = await watched(file);
  writeFileSync(file, GOOD.replace('to: sales', 'to: salse'));
  await soon(() => expect(refusals).toHaveLength(1));
  expect(refusals[0]).toMatchObject([{ code: 'unknown-connection', at: { file, line: 7 } }]);
  expect(watch.config).toBe(config);
  // A further change is looked at again; the refusal in between was not repeated.
  writeFileSync(file, SECOND_ROUTE);
  await soon(() => expect(reloads).toHaveLength(1));
  expect(refusals).toHaveLength(1);
});

test('a file that an editor replaces, or that is gone for a while, is followed', async () => {
  const file = folder();
  const { config, watch, reloads, refusals } = await watched(file);
  rmSync(file);
  await soon(() => expect(refusals).toHaveLength(1));
  expect(refusals[0]).toMatchObject([{ code: 'no-config' }]);
  expect(watch.config).toBe(config);
  writeFileSync(`${file}.new`, SECOND_ROUTE);
  renameSync(`${file}.new`, file);
  await soon(() => expect(reloads).toHaveLength(1));
});

test('a mounted config map, where a link is swapped, is followed', async () => {
  const root = dirname(configFolder({ 'one/wrapup.yaml': GOOD, 'one/mappings/hubspot.yaml': MAPPING }));
  mkdirSync(join(root, 'two/mappings'), { recursive: true });
  writeFileSync(join(root, 'two/wrapup.yaml'), SECOND_ROUTE);
  writeFileSync(join(root, 'two/mappings/hubspot.yaml'), MAPPING);
  symlinkSync('one', join(root, '..data'));
  symlinkSync('..data/wrapup.yaml', join(root, 'wrapup.yaml'));
  symlinkSync('..data/mappings', join(root, 'mappings'));
  const { watch, reloads } = await watched(join(root, 'wrapup.yaml'));
  symlinkSync('two', join(root, '..data_tmp'));
  renameSync(join(root, '..data_tmp'), join(root, '..data'));
  await soon(() => expect(reloads).toHaveLength(1));
  expect(watch.config.routes).toHaveLength(2);
});

test('a rotated secret in a mounted file is taken over', async () => {
  const file = folder();
  const mounted = join(dirname(file), 'secret');
  writeFileSync(mounted, 'the-old-secret-0123456789\n');
  const { SYNTHFLOW_WEBHOOK_SECRET: _, ...rest } = ENV;
  const env = { ...rest, SYNTHFLOW_WEBHOOK_SECRET_FILE: mounted };
  const { config, watch, reloads } = await watched(file, { env });
  writeFileSync(mounted, 'the-new-secret-0123456789\n');
  await soon(() => expect(reloads).toHaveLength(1));
  expect(watch.config.sources.main?.webhook_secrets).toEqual(['the-new-secret-0123456789']);
  // The hash that logs show says nothing about secrets.
  expect(watch.config.hash).toBe(config.hash);
});

test('a reload takes a change at once', async () => {
  const file = folder();
  const { config, watch, reloads, refusals } = await watched(file, { every: 3_600_000 });
  await watch.reload();
  expect(watch.config).toBe(config);
  writeFileSync(file, SECOND_ROUTE);
  await Promise.all([watch.reload(), watch.reload()]);
  expect(watch.config.routes).toHaveLength(2);
  expect(reloads).toHaveLength(1);
  // A mistake is not taken, and is for the usual looks to tell of.
  writeFileSync(file, GOOD.replace('to: sales', 'to: salse'));
  expect(watch.broken).toBe(false);
  await watch.reload();
  expect(watch.config.routes).toHaveLength(2);
  expect(watch.broken).toBe(true);
  expect(refusals).toEqual([]);
  for (const [text, broken] of [
    [SECOND_ROUTE, false],
    [GOOD.replace('to: sales', 'to: salse'), true],
    [GOOD, false],
  ] as const) {
    writeFileSync(file, text);
    await watch.reload();
    expect(watch.broken).toBe(broken);
  }
});

const CLIENT = GOOD.replace('["${SYNTHFLOW_WEBHOOK_SECRET}"]', '[c3a1f0be9a77401bb3f1c0de9a7740aa]').replace(
  '"${HUBSPOT_ACCESS_TOKEN}"',
  'a-token',
);

test('files of clients come, change and go without a restart', async () => {
  const file = folder();
  const acme = join(dirname(file), 'clients/acme.yaml');
  const { watch, refusals } = await watched(file);
  mkdirSync(dirname(acme));
  writeFileSync(acme, CLIENT);
  await soon(() => expect(watch.config.clients.acme?.state).toBe('current'));
  expect(Object.keys(watch.config.sources)).toEqual(['main', 'acme.main']);

  writeFileSync(acme, CLIENT.replace('to: sales', 'to: salse'));
  await soon(() => expect(watch.config.clients.acme?.state).toBe('last_good'));
  expect(Object.keys(watch.config.sources)).toEqual(['main', 'acme.main']);

  writeFileSync(acme, CLIENT.replace('sales-calls', 'other-calls'));
  await soon(() => expect(watch.config.clients.acme?.state).toBe('current'));
  expect(watch.config.routes.map(({ name }) => name)).toEqual(['sales-calls', 'acme.other-calls']);

  rmSync(acme);
  await soon(() => expect(watch.config.clients).toEqual({}));
  expect(Object.keys(watch.config.sources)).toEqual(['main']);
  expect(refusals).toEqual([]);
});

/** As many clients as are not all asked about each time. */
function manyClients() {
  const names = Array.from({ length: 450 }, (_, index) => `client-${index}`);
  const secretOf = (index: number) => `c3a1f0be9a77401bb3f1c0de9a77${String(index).padStart(4, '0')}`;
  const textOf = (index: number) => CLIENT.replace('c3a1f0be9a77401bb3f1c0de9a7740aa', secretOf(index));
  const files = Object.fromEntries(names.map((name, index) => [`clients/${name}.yaml`, textOf(index)]));
  const file = configFolder({ 'wrapup.yaml': GOOD, 'mappings/hubspot.yaml': MAPPING, ...files });
  const at = (index: number) => join(dirname(file), `clients/client-${index}.yaml`);
  const renamed = (index: number) => textOf(index).replace('sales-calls', 'other-calls');
  const routeOf = (config: Config, index: number) =>
    config.routes.find(({ name }) => name.startsWith(`client-${index}.`))?.name;
  return { file, at, renamed, textOf, routeOf };
}

test('of many files, one that is written in place, replaced, new or gone is followed', async () => {
  const { file, at, renamed, textOf, routeOf } = manyClients();
  const { watch, refusals } = await watched(file);
  writeFileSync(at(7), renamed(7));
  await soon(() => expect(routeOf(watch.config, 7)).toBe('client-7.other-calls'));
  writeFileSync(`${at(449)}.new`, renamed(449));
  renameSync(`${at(449)}.new`, at(449));
  await soon(() => expect(routeOf(watch.config, 449)).toBe('client-449.other-calls'));
  writeFileSync(at(450), textOf(450));
  await soon(() => expect(routeOf(watch.config, 450)).toBe('client-450.sales-calls'));
  rmSync(at(0));
  await soon(() => expect(watch.config.clients['client-0']).toBeUndefined());
  // The folder that takes the place of another one is watched as that one was.
  const clients = dirname(at(0));
  cpSync(clients, `${clients}.new`, { recursive: true });
  writeFileSync(join(`${clients}.new`, 'client-8.yaml'), renamed(8));
  renameSync(clients, `${clients}.old`);
  renameSync(`${clients}.new`, clients);
  await soon(() => expect(routeOf(watch.config, 8)).toBe('client-8.other-calls'));
  writeFileSync(at(9), renamed(9));
  await soon(() => expect(routeOf(watch.config, 9)).toBe('client-9.other-calls'));
  expect(refusals).toEqual([]);
});

test('of many files, one that is written where nothing announces it is followed', async () => {
  const { file, at, renamed, textOf, routeOf } = manyClients();
  // Behind a link into a folder that is not watched, as behind a mount that announces nothing.
  const elsewhere = dirname(configFolder({ 'client-90.yaml': textOf(90) }));
  rmSync(at(90));
  symlinkSync(join(elsewhere, 'client-90.yaml'), at(90));
  const { watch } = await watched(file);
  expect(routeOf(watch.config, 90)).toBe('client-90.sales-calls');
  writeFileSync(join(elsewhere, 'client-90.yaml'), renamed(90));
  await soon(() => expect(routeOf(watch.config, 90)).toBe('client-90.other-calls'));
});
