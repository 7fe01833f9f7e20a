/** What the image runs: the bundles of scripts/bundle.mjs, from a webhook to the CRM and a page of the dashboard. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplePayload } from '../packages/synthflow/src/index.ts';
import { becomesReady, postSigned } from './support/config.ts';
import { startScript } from './support/process.ts';
import { openSystem, SECRET, type TestSystem } from './support/system.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PASSWORD = 'a-password-for-tests-of-the-bundle';
const run = promisify(execFile);

let system: TestSystem;
const closers: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  await run(process.execPath, ['scripts/bundle.mjs'], { cwd: ROOT });
  system = await openSystem();
  closers.push(() => system.close());
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function start(app: 'ingress' | 'worker' | 'dashboard' | 'sandbox', env: Record<string, string> = {}) {
  const started = await startScript(`dist/${app}.mjs`, { ...system.env, [`${app.toUpperCase()}_PORT`]: '0', ...env });
  closers.push(() => started.kill());
  return started;
}

it('takes a webhook, writes it to the CRM, and shows it', async () => {
  const [ingress, , dashboard] = await Promise.all([
    start('ingress'),
    start('worker'),
    start('dashboard', { DASHBOARD_PASSWORD: PASSWORD }),
  ]);
  await becomesReady(ingress.port);
  const call_id = randomUUID();
  const payload = samplePayload('connected', { call_id }) as { call: { call_id: string } };
  expect((await postSigned(ingress.port, payload, SECRET)).status).toBe(202);
  await system.settled(call_id);
  expect(await system.crm('calls')).toMatchObject([{ properties: { wrapup_call_id: `main:${call_id}` } }]);

  const authorization = `Basic ${btoa(`admin:${PASSWORD}`)}`;
  const get = (path: string) => fetch(`http://127.0.0.1:${dashboard.port}${path}`, { headers: { authorization } });
  expect(await (await get('/calls')).text()).toContain(call_id);
  // Files beside the sources, and those of a package.
  const page = await (await get('/')).text();
  const style = /href="([^"]+\.css[^"]*)"/.exec(page)?.[1];
  expect((await get(style as string)).status).toBe(200);
  expect((await get('/queues/')).status).toBe(200);
  // A thread of the dashboard, and what is made for browsers.
  expect(await (await get('/playground')).text()).toMatch(/no difference in the plan.*<b>created<\/b>/s);
  const editor = await get('/assets/workbench.js');
  expect([editor.status, await editor.text()]).toEqual([
    200,
    readFileSync(join(ROOT, 'dist/workbench-editor.js'), 'utf8'),
  ]);
  expect(readFileSync(join(ROOT, 'dist/LICENSES.txt'), 'utf8')).toContain('@codemirror/view');
});

it('has the sandbox, with its page', async () => {
  const { port } = await start('sandbox');
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(page).toMatch(/^<!doctype html>/i);
  const files = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js)[^"]*)"/g)].map(([, path]) => path as string);
  for (const path of files) expect((await fetch(`http://127.0.0.1:${port}${path}`)).status, path).toBe(200);
});

it('has the command', async () => {
  const { stdout } = await run(process.execPath, ['dist/cli.mjs', 'check'], {
    cwd: ROOT,
    env: { ...process.env, ...system.env },
  });
  expect(stdout).toMatch(/0 errors/);
});

it('names every package that is in it, with its licence', () => {
  const licences = readFileSync(resolve(ROOT, 'dist/LICENSES.txt'), 'utf8');
  for (const name of ['bullmq', 'express', 'ioredis', 'yaml', 'zod'])
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+`, 'm'));
  expect(licences).not.toMatch(/: see below\n*$/);
});

describe('the compile cache of the image is not filled', () => {
  const scratch = join(ROOT, 'node_modules/.cache/wrapup');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'compile-cache-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const fill = async (program: string) => {
    writeFileSync(join(folder, 'program.mjs'), program);
    return run(process.execPath, ['scripts/fill-compile-cache.mjs', folder], {
      cwd: ROOT,
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
    });
  };

  it.each([
    ['a syntax error', 'const = 1;', /program\.mjs ended with 1:[\s\S]*SyntaxError/],
    [
      'an import of what is not there',
      `import './missing.mjs';`,
      /program\.mjs ended with 1:[\s\S]*ERR_MODULE_NOT_FOUND/,
    ],
    ['an error at its start', `throw new Error('at its start');`, /program\.mjs ended with 1:[\s\S]*at its start/],
  ])('with a program that has %s', async (_, program, says) => {
    await expect(fill(program)).rejects.toThrow(says);
  });

  it('but is with one that only lacks a configuration', async () => {
    const file = readFileSync(join(ROOT, 'dist/ingress.mjs'), 'utf8').replaceAll(
      /(["'])\.\/(chunk-)/g,
      (_, quote, chunk) => `${quote}${ROOT}/dist/${chunk}`,
    );
    expect((await fill(file)).stdout).toContain('0 modules and 1 programs');
  });
});
