/** The documentation site as it is built: every link leads to a page and a heading, and a reader without a network can search it. */
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAGES, ROOT, servedAs } from '../docs/.vitepress/pages.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

let site: string;
beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), 'wrapup-site-'));
  await promisify(execFile)(
    process.execPath,
    ['node_modules/vitepress/bin/vitepress.js', 'build', 'docs', '--outDir', site],
    {
      cwd: ROOT,
    },
  );
});
afterAll(() => rm(site, { recursive: true, force: true }));

const htmlOf = (page: string) => servedAs(page).replace(/\.md$/, '.html');

it('every page is built', () => {
  expect(PAGES.length).toBeGreaterThan(100);
  expect(PAGES.filter((page) => !existsSync(join(site, htmlOf(page))))).toEqual([]);
});

it('every link leads to a file of the site, and to a heading of it', () => {
  const files = globSync('**/*.html', { cwd: site });
  const anchors = new Map(
    files.map((file) => [file, new Set([...read(file).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  );
  const dead = files.flatMap((file) =>
    [...read(file).matchAll(/<a\b[^>]*\shref="([^"]+)"/g)].flatMap(([, href = '']) => {
      if (/^[a-z]+:/.test(href)) return [];
      const [path = '', anchor] = decodeURI(href).split('#');
      const target = targetOf(path, file);
      if (!existsSync(join(site, target))) return [`${file}: ${href}`];
      return anchor === undefined || anchors.get(target)?.has(anchor) ? [] : [`${file}: ${href}`];
    }),
  );
  expect(dead).toEqual([]);
});

function targetOf(path: string, from: string): string {
  if (path === '') return from;
  const target = path.startsWith('/') ? path.slice(1) : posix.join(dirname(from), path);
  return target === '' || target.endsWith('/') ? `${target}index.html` : target;
}

const read = (file: string) => readFileSync(join(site, file), 'utf8');

it.skipIf(!CHROMIUM)('a browser without a network searches it, in the colours that the reader prefers', async () => {
  const server = express().use(express.static(site)).listen(0, '127.0.0.1');
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tab = await browser.newPage({ colorScheme: 'dark' });
    const complaints: string[] = [];
    tab.on(
      'request',
      (request) => !/^data:/.test(request.url()) && !request.url().startsWith(url) && complaints.push(request.url()),
    );
    tab.on('pageerror', (error) => complaints.push(error.message));
    tab.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));

    await tab.goto(url);
    expect(await tab.locator('html').getAttribute('class')).toContain('dark');
    await tab.getByRole('link', { name: 'Ten minutes', exact: true }).first().click();
    await tab.getByRole('heading', { level: 1, name: 'Ten minutes' }).waitFor();

    await tab.keyboard.press('Control+k');
    await tab.getByRole('searchbox').fill('ambiguous');
    await tab.getByRole('option').filter({ hasText: 'Deciding who it is' }).click();
    await tab.getByRole('heading', { name: 'Deciding who it is' }).waitFor();
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    server.close();
  }
});
