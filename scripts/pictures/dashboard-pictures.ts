/**
 * docs/guide/pictures: pages of the dashboard, light and dark and as wide as a phone, from a demo of a week's calls with faults in
 * it. The contacts are in a sandbox, so that names can be asked for.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openConfig } from '@wrapup/config';
import { createDashboard } from '@wrapup/dashboard';
import { ClientFiles, openStore, type Store } from '@wrapup/queue';
import { startSandbox } from '@wrapup/sandbox';
import { createLogger, createMetrics, serve } from '@wrapup/telemetry';
import type { Browser, Page } from 'playwright-core';
import { seedDemoCalls } from '../../test/support/demo-calls.ts';
import { startRedisServer } from '../local-redis.mjs';

const PICTURES = resolve(import.meta.dirname, '../../docs/guide/pictures');
const TOKEN = 'pat-na1-pictures';
const CALLS = 600;
/** Those of config/wrapup.yaml, and one that it does not name. */
const AGENTS = [
  '3f0c6a52-7d1e-4b8a-9c44-1a2b3c4d5e6f',
  '8b9d7e10-2c3f-4a56-b7d8-6f5e4d3c2b1a',
  'f4a06c1e-7b38-4d25-a9c1-8e3b5d7f2069',
];
const NAMES = ['Dana Example', 'Rob Sample', 'Kim Placeholder', 'Ana Muster', 'Lee Testman', 'Mia Beispiel'];
const WIDE = { width: 1200, height: 800 };
const LOOKS = {
  light: { colorScheme: 'light', viewport: WIDE },
  dark: { colorScheme: 'dark', viewport: WIDE },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 780 } },
} as const;

interface Shot {
  name: string;
  path: string;
  looks: (keyof typeof LOOKS)[];
  /** Done before the picture is taken. */
  prepare?(page: Page): Promise<unknown>;
}

/** Takes them with a browser that is running. @returns the files, in their order */
export async function takeDashboardPictures(browser: Browser): Promise<string[]> {
  rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-pictures-'));
  const redis = await startRedisServer({ dir, appendonly: false });
  const sandbox = await startSandbox({ port: 0, provisioned: true });
  const store = openStore({ url: redis.url, prefix: 'pictures', role: 'worker', onError() {} });
  try {
    await store.connected(10_000);
    const contacts = NAMES.map((name, n) => {
      const [firstname, lastname] = name.split(' ');
      const email = `${firstname?.toLowerCase()}@example.com`;
      return { properties: { firstname, lastname, email, phone: `+1415555${String(2670 + n)}` } };
    });
    const people = sandbox.control.seed({ records: { contacts } }).contacts ?? [];
    const calls = await seedDemo(store, people);
    Object.assign(process.env, {
      ...{ WRAPUP_CONFIG: resolve(import.meta.dirname, '../../config/wrapup.yaml'), HUBSPOT_ACCESS_TOKEN: TOKEN },
      ...{ HUBSPOT_BASE_URL: sandbox.hubspotUrl, SYNTHFLOW_WEBHOOK_SECRET: 'a-secret-for-pictures-only' },
    });
    const log = createLogger('dashboard', { level: 'silent' });
    const config = await openConfig(log, 'dashboard', new ClientFiles(store));
    const app = createDashboard({ store, config: config.current, log, metrics: createMetrics('dashboard') });
    const served = await serve(app, { port: 0, host: '127.0.0.1', name: 'dashboard', log });
    try {
      return await takeAll(browser, `http://127.0.0.1:${served.port}`, shotsOf(calls));
    } finally {
      await served.close(200);
      config.close();
    }
  } finally {
    await store.close();
    await sandbox.close();
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function seedDemo(store: Store, people: string[]): Promise<string[]> {
  const route = { route: 'sales-calls', connection: 'sales' };
  const calls = await seedDemoCalls(store, {
    ...{ calls: CALLS, until: Date.now() - 60_000, agents: AGENTS, route, people },
    address: (object, id) => `https://app.hubspot.com/contacts/1/record/${object}/${id}`,
  });
  await store.connections.pause('sales', 'the account is being merged', { name: 'kim', via: 'dashboard' });
  return calls;
}

function shotsOf(calls: readonly string[]): Shot[] {
  return [
    { name: 'overview', path: '/', looks: ['light', 'dark', 'phone'] },
    { name: 'calls', path: '/calls?outcome=connected', looks: ['light', 'dark', 'phone'], prepare: askNames },
    { name: 'call', path: `/calls/${calls.at(-8)}?source=main`, looks: ['light', 'dark', 'phone'] },
    { name: 'parked', path: '/parked', looks: ['light'] },
  ];
}

async function askNames(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Show names and numbers' }).click();
  await page.getByText('Names and numbers as the CRM says them now').waitFor();
}

async function takeAll(browser: Browser, baseURL: string, shots: readonly Shot[]): Promise<string[]> {
  const files: string[] = [];
  for (const { name, path, looks, prepare } of shots) {
    for (const look of looks) {
      const context = await browser.newContext({ baseURL, ...LOOKS[look], reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(path);
      await prepare?.(page);
      const file = join(PICTURES, `${name}-${look}.png`);
      writeFileSync(file, await page.screenshot({ fullPage: name === 'overview' && look !== 'phone', scale: 'css' }));
      files.push(file);
      await context.close();
    }
  }
  return files;
}
