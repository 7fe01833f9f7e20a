import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeMemoryContext } from '@wrapup/destination';
import { describe, expect, test } from 'vitest';
import { httpKind, httpSettings } from '../src/index.ts';
import { connect, OTHER_SECRET, SECRET } from './support/connect.ts';
import { compiled } from './support/plans.ts';

describe('settings', () => {
  test('have defaults', () => {
    expect(httpSettings.parse({ url: ' https://Hooks.Example.com/x \n' })).toEqual({
      url: 'https://hooks.example.com/x',
      method: 'POST',
      headers: {},
      secret: [],
      timeout: 15_000,
      allow_private: false,
      at_once: 5,
      retry_on: [],
    });
  });

  test('may come from environment variables, as text', () => {
    const settings = {
      url: 'https://x.example',
      secret: SECRET,
      timeout: '5000',
      allow_private: 'false',
      retry_on: '404',
    };
    expect(httpSettings.parse(settings)).toMatchObject({
      secret: [SECRET],
      timeout: 5_000,
      allow_private: false,
      retry_on: [404],
    });
    expect(httpSettings.parse({ ...settings, secret: [SECRET, OTHER_SECRET] }).secret).toHaveLength(2);
  });

  test.each<[object, RegExp]>([
    [{ url: 'hooks.example.com' }, /must be an https/],
    [{ url: 'ftp://example.com/' }, /must be an https/],
    [{ url: 'file:///etc/passwd' }, /must be an https/],
    [{ url: '' }, /must be an https/],
    [{ url: 'https://me:secret@example.com/' }, /no name or password; put them into headers/],
    [{ url: 'https://example.com/#part' }, /no # part/],
    [{ method: 'GET' }, /POST/],
    [{ headers: { 'bad header': 'x' } }, /invalid key/i],
    [{ headers: { Host: 'elsewhere' } }, /invalid key/i],
    [{ headers: { 'Webhook-Id': 'mine' } }, /invalid key/i],
    [{ headers: { 'content-type': 'text/plain' } }, /invalid key/i],
    [{ headers: { 'x-a': 'one\r\nx-b: two' } }, /one line/],
    [{ headers: { 'x-a': 'č' } }, /one line/],
    [{ timeout: 99 }, /from 100 to 25000/],
    [{ timeout: 30_000 }, /from 100 to 25000/],
    [{ timeout: '15s' }, /from 100 to 25000/],
    [{ at_once: 0 }, /from 1 to 50/],
    [{ retry_on: [503] }, /from 400 to 499/],
    [{ allow_private: ['10.0.0.0/99'] }, /must be true, false, or addresses/],
    [{ allow_private: 'yes' }, /must be true, false, or addresses/],
    [{ scret: SECRET }, /scret/],
  ])('%j is refused', (wrong, says) => {
    const { error } = httpSettings.safeParse({ url: 'https://example.com/', ...wrong });
    expect(JSON.stringify(error?.issues ?? [])).toMatch(says);
  });

  test('that are secrets are named', () => {
    expect(httpKind.secrets).toEqual(['url', 'headers', 'secret']);
  });
});

describe('what is worth knowing before anything is sent', () => {
  const check = async (settings: object, mapping = 'extends: http/event\n') =>
    (await connect(settings)).check([compiled(mapping)], makeMemoryContext());

  test('nothing, where all is well', async () => {
    expect(await check({ url: 'https://hooks.example.com/x', allow_private: false })).toEqual([]);
    expect(await check({ url: 'http://intranet.example/x', allow_private: true })).toEqual([]);
  });

  test('that the way is not encrypted', async () => {
    expect(await check({ url: 'http://hooks.example.com/x', allow_private: false })).toMatchObject([
      { severity: 'warning', code: 'plain-http', hint: 'use https://' },
    ]);
  });

  test('that a write mode means nothing here', async () => {
    const mapping = 'events:\n  - name: event\n    fields:\n      note: { from: call.id, write: append }\n';
    expect(await check({ url: 'https://hooks.example.com/x', allow_private: false }, mapping)).toMatchObject([
      {
        severity: 'warning',
        code: 'write-mode',
        message: expect.stringMatching(/^event\.note: .*append/),
        at: { line: 4 },
      },
    ]);
  });

  test('whether events are signed', async () => {
    const signing = async (secret: string[]) =>
      (
        await (
          await connect({ url: 'https://hooks.example.com/', secret }, async () => [{ address: '1.1.1.1', family: 4 }])
        ).probe(makeMemoryContext())
      ).notes[1];
    expect(await signing([])).toBe('events are not signed: there is no secret');
    expect(await signing([SECRET])).toBe('events are signed');
    expect(await signing([SECRET, OTHER_SECRET])).toBe('events are signed with 2 secrets');
  });
});

test('knowing the kind does not load axios, connecting does', async () => {
  const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href);
  const loaded = async (then: string) => {
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
      const { httpKind } = await import(${index});
      ${then}
      console.log(seen.filter((url) => /node_modules\\/axios\\//.test(url)).length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return Number(stdout);
  };
  expect(await loaded('')).toBe(0);
  const connecting = `await httpKind.connect('alerts', httpKind.settings.parse({ url: 'https://example.com/' }));`;
  expect(await loaded(connecting)).toBeGreaterThan(0);
});
