/** The examples: each configuration is read without a finding, and the receiver takes what the adapter signs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../packages/config/src/index.ts';
import { signedHeaders, signingKeys } from '../packages/http/src/endpoint/signature.ts';

const ROOT = resolve(import.meta.dirname, '..');
const EXAMPLES = join(ROOT, 'examples');
const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const KEYS = signingKeys([SECRET]);

/** A value for every variable that a configuration names, as an installation would give it. */
function variablesOf(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as string);
  return Object.fromEntries(
    names.map((name) => [
      name,
      name.endsWith('URL')
        ? 'https://example.my.salesforce.com'
        : name === 'EVENTS_SECRET'
          ? SECRET
          : `${name.toLowerCase()}_8fK2pQ7vX4mZ9rT1wY6b`,
    ]),
  );
}

describe.each(globSync('*/wrapup.yaml', { cwd: EXAMPLES }))('%s', (name) => {
  it('is read without an error or a warning', async () => {
    const file = join(EXAMPLES, name);
    const clients = globSync('clients/*.yaml', { cwd: dirname(file) }).map((path) => join(dirname(file), path));
    const texts = [file, ...clients].map((path) => readFileSync(path, 'utf8'));
    const { config, findings } = await loadConfig({ file, env: variablesOf(texts.join('\n')) });
    expect(findings).toEqual([]);
    expect(Object.values(config?.clients ?? {}).map(({ state }) => state)).toEqual(clients.map(() => 'current'));
    expect(config?.routes.length).toBeGreaterThan(0);
  });
});

it('every folder is listed, and every listed one is there', () => {
  const folders = globSync('*/', { cwd: EXAMPLES }).map((path) => path.replace(/\/$/, ''));
  const listed = [...readFileSync(join(EXAMPLES, 'README.md'), 'utf8').matchAll(/\]\(([\w-]+)\/\)/g)].map(
    ([, path]) => path,
  );
  expect(folders.toSorted()).toEqual(listed.toSorted());
});

it('the override for another Redis changes services that docker-compose.yml has', () => {
  const services = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }).services;
  const file = join(EXAMPLES, 'redis-elsewhere/docker-compose.override.yml');
  const tags = [
    { tag: '!override', collection: 'map' as const },
    { tag: '!override', collection: 'seq' as const },
  ];
  const override = parse(readFileSync(file, 'utf8'), { customTags: tags, logLevel: 'error' }).services;
  expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(override)));
  const usesRedis = Object.entries<{ depends_on?: object }>(services).filter(
    ([, { depends_on = {} }]) => 'redis' in depends_on,
  );
  expect(Object.keys(override)).toEqual(expect.arrayContaining(usesRedis.map(([name]) => name)));
});

describe('the receiver', () => {
  async function start() {
    const file = join(EXAMPLES, 'http-receiver/receiver.mjs');
    const env = { PORT: '0', EVENTS_SECRET: SECRET };
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout });
    const said: string[] = [];
    lines.on('line', (line) => said.push(line));
    await once(lines, 'line');
    const port = Number(said[0]?.split(' ').at(-1));
    const send = async (id: string, body: string, change: Record<string, string> = {}) => {
      const headers = { ...signedHeaders(id, Date.now(), Buffer.from(body), KEYS), ...change };
      return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).status;
    };
    return { said, send };
  }

  it('takes a signed event once, however often it comes', async () => {
    const { said, send } = await start();
    const body = JSON.stringify({ type: 'call.connected', data: { call: { id: 'c-1' } } });
    expect(await send('msg_1', body)).toBe(204);
    expect(await send('msg_1', body)).toBe(204);
    expect(await send('msg_2', body.replace('c-1', 'c-2'))).toBe(204);
    await expect.poll(() => said.slice(1)).toEqual(['call.connected c-1', 'call.connected c-2']);
  });

  it('refuses another signature, another time and another body', async () => {
    const { said, send } = await start();
    const old = signedHeaders('msg_1', Date.now() - 3_600_000, Buffer.from('{}'), KEYS);
    expect(await send('msg_1', '{}', { 'webhook-signature': 'v1,bm90aGluZw==' })).toBe(401);
    expect(await send('msg_1', '{}', old)).toBe(401);
    expect(await send('msg_1', '{"a":1}', signedHeaders('msg_1', Date.now(), Buffer.from('{}'), KEYS))).toBe(401);
    expect(said).toHaveLength(1);
  });
});
