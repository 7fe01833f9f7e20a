/** Which of two files is in force that claim the same, after a start that has seen neither before. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, type GoodFile, goodFiles, type LastGoodFiles, loadConfig, type Reader } from '@wrapup/config';
import { expect, test } from 'vitest';
import { configFolder, ENV, GOOD, MAPPING } from './support/folder.ts';

const [ONE, TWO] = ['13f1c0de9a77401bb3f1c0de9a77401b', '23f1c0de9a77401bb3f1c0de9a77401b'];
const client = (secret: string, prefix = '') =>
  `sources: { main: { webhook_secrets: ["${secret}"]${prefix && `, key_prefix: ${prefix}`} } }\n${GOOD.slice(GOOD.indexOf('connections:')).replace('"${HUBSPOT_ACCESS_TOKEN}"', 'a-token')}`;

type Files = Record<string, string>;
const named = (files: Files): Files =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name === 'root' ? 'wrapup.yaml' : `clients/${name}.yaml`, text]),
  );

/** What ingress leaves behind, and what a worker keeps of it. */
const left = (config: Config | undefined): Map<string, GoodFile> => new Map(config && goodFiles(config));
const asKept = (files: ReadonlyMap<string, GoodFile>, kept = files): LastGoodFiles => ({
  read: async (name) => kept.get(name)?.texts,
  settled: async () => (name, hash, claims) => {
    const file = files.get(name);
    return file?.hash === hash && (claims === undefined || claims === file.claims);
  },
});

/** A folder that ingress has in force, then changed. @returns loads it in a process that starts */
async function changed(first: Files, change: Files, env: Record<string, string> = {}, then = env) {
  const file = configFolder({ 'wrapup.yaml': GOOD, 'mappings/hubspot.yaml': MAPPING, ...named(first) });
  const before = await loadConfig({ file, env: { ...ENV, ...env }, reader: 'ingress' });
  expect(before.findings).toEqual([]);
  const files = left(before.config);
  for (const [name, text] of Object.entries(named(change))) writeFileSync(join(dirname(file), name), text);
  const start = async (lastGood = asKept(files), more: { reader?: Reader; previous?: Config } = {}) => {
    const loaded = await loadConfig({ file, env: { ...ENV, ...then }, reader: 'ingress', lastGood, ...more });
    const states = Object.values(loaded.config?.clients ?? {}).map(({ name, state }) => [name, state]);
    return { ...loaded, states: Object.fromEntries(states) };
  };
  return { start, files };
}

const secretsOf = (config: Config | undefined, source: string) => config?.sources[source]?.webhook_secrets;

test.each([
  ['', 'acme', 'bolt'],
  [', which comes first by name', 'bolt', 'acme'],
])('of two that share a secret only the changed one is out of force%s', async (_what, old, late) => {
  const { start } = await changed({ [old]: client(ONE), [late]: client(TWO) }, { [late]: client(ONE) });
  const { states, config, clientFindings } = await start();
  expect(states).toEqual({ [old]: 'current', [late]: 'last_good' });
  expect(secretsOf(config, `${old}.main`)).toEqual([ONE]);
  expect(secretsOf(config, `${late}.main`)).toEqual([TWO]);
  expect(clientFindings.get(old)).toEqual([]);
  expect(clientFindings.get(late)).toMatchObject([{ code: 'shared-secret' }]);
});

test('one that was kept as good although ingress refused it does not stop the other', async () => {
  const { start, files } = await changed({ acme: client(ONE), bolt: client(TWO) }, { bolt: client(ONE) });
  const bolt = files.get('bolt') as GoodFile;
  const texts = { ...bolt.texts, 'clients/bolt.yaml': client(ONE) };
  const { states } = await start(asKept(files, new Map([...files, ['bolt', { ...bolt, texts }]])));
  expect(states).toEqual({ acme: 'current', bolt: 'unusable' });
});

test('one whose secret changed, and whose text did not, does not stop the other', async () => {
  const files = { acme: client('${ACME_SECRET}'), bolt: client('${BOLT_SECRET}') };
  const { start } = await changed(
    files,
    {},
    { ACME_SECRET: ONE, BOLT_SECRET: TWO },
    { ACME_SECRET: ONE, BOLT_SECRET: ONE },
  );
  const { states, config } = await start();
  expect(states).toEqual({ acme: 'current', bolt: 'unusable' });
  expect(secretsOf(config, 'acme.main')).toEqual([ONE]);
});

test('one that comes while no ingress runs does not stop the other', async () => {
  const { start } = await changed({ acme: client(ONE) }, { bolt: client(ONE) });
  expect((await start()).states).toEqual({ acme: 'current', bolt: 'unusable' });
});

test('a client that claims what wrapup.yaml has stops itself, and wrapup.yaml is refused when it came later', async () => {
  const late = await changed({ acme: client(ONE) }, { acme: client(ENV.SYNTHFLOW_WEBHOOK_SECRET) });
  const { states, config } = await late.start();
  expect(states).toEqual({ acme: 'last_good' });
  expect(secretsOf(config, 'main')).toEqual([ENV.SYNTHFLOW_WEBHOOK_SECRET]);
  const root = await changed({ acme: client(ONE) }, { root: GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', ONE) });
  const refused = await root.start();
  expect(refused.config).toBeUndefined();
  expect(refused.findings).toMatchObject([{ code: 'shared-secret', hint: expect.stringContaining('acme.main') }]);
});

test('every process settles alike which of two has the keys', async () => {
  const first = { acme: client(ONE, 'old'), bolt: client(TWO) };
  const { start } = await changed(first, { bolt: client(TWO, 'old') });
  for (const reader of ['ingress', 'worker', 'dashboard'] as const) {
    const { states, config } = await start(undefined, { reader });
    expect(states).toEqual({ acme: 'current', bolt: 'last_good' });
    expect(config?.sources['acme.main']?.key_prefix).toBe('old');
    expect(config?.sources['bolt.main']?.key_prefix).toBeUndefined();
  }
});

test('where Redis is away at the start, it is settled as soon as it answers', async () => {
  const { start, files } = await changed({ acme: client(ONE), bolt: client(TWO) }, { bolt: client(ONE) });
  const away = () => Promise.reject(new Error('Redis is away'));
  const first = await start({ read: away, settled: away });
  expect(first.incomplete).toBe(true);
  expect(first.states).toEqual({ acme: 'unusable', bolt: 'unusable' });
  const second = await start(asKept(files), { previous: first.config as Config });
  expect(second.incomplete).toBe(false);
  expect(second.states).toEqual({ acme: 'current', bolt: 'last_good' });
});
