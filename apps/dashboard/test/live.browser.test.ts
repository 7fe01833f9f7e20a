/** Pages that move while one looks, in a real browser: what has come is shown, and what the reader is at stays. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { type Harness, parked, startDashboard } from './support/harness.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const QUEUED = { deliveries: [{ route: 'sales-calls', connection: 'sales' }] };

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  let browser: Browser;
  let redis: PrivateRedis;
  let dashboard: Harness;
  let ids: string[];

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false });
    dashboard = await startDashboard({ redis: redis.url, live: { every: 100 } });
    ids = [];
    for (let n = 0; n < 30; n += 1) ids.push(await dashboard.seed(QUEUED));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await redis.stop();
  });

  /** A page that listens, and says that it is still the one that was opened. */
  async function open(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: dashboard.url, ...options });
    const page = await context.newPage();
    // The first answer may have it read again for the time zone.
    await context.addCookies([{ name: 'zone', value: 'UTC', url: dashboard.url }]);
    const listens = page.waitForResponse((answer) => answer.url().includes('/live'));
    await page.goto(path);
    await listens;
    await page.evaluate('window.isFirst = true');
    return page;
  }
  const isFirst = (page: Page) => page.evaluate('window.isFirst === true');

  async function write(call_id: string): Promise<void> {
    const entry = await dashboard.store.ledger.read('main', call_id);
    const revision = entry?.deliveries[0]?.revision as string;
    const ref = { source: 'main', call_id, route: 'sales-calls', revision, replays: 0 };
    await dashboard.store.ledger.recordOutcome(ref, { state: 'written', records: [] }, { keptMs: 90 * 86_400_000 });
  }

  it('a list says how many calls are new, and rows change where they stand: scroll, focus and selection stay', async () => {
    const page = await open('/calls', { viewport: { width: 1000, height: 500 } });
    const link = page.locator('tbody tr').nth(12).locator('a').first();
    await link.focus();
    await link.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const looks = () =>
      page.evaluate('[scrollY, document.activeElement.href, document.querySelectorAll("tbody tr").length]');
    const before = await looks();
    const id = (await link.textContent()) as string;
    const place = await link.evaluate((element) => element.getBoundingClientRect().top);
    await dashboard.seed(QUEUED);
    await page.getByRole('link', { name: '1 new call', exact: true }).waitFor();
    await dashboard.seed(QUEUED);
    await page.getByRole('link', { name: '2 new calls', exact: true }).waitFor();
    await write(id);
    // The change of the delivery alone moves nothing that is watched of the whole; the next call brings it along.
    await dashboard.seed(parked());
    await page.locator('tr', { hasText: id }).getByText('sales-calls: written').waitFor();
    expect(await looks()).toEqual(before);
    expect(await link.evaluate((element) => element.getBoundingClientRect().top)).toBe(place);
    expect(await isFirst(page)).toBe(true);
    expect(await page.getByRole('link', { name: 'Parked 1' }).count()).toBe(1);
    await page.getByRole('link', { name: '3 new calls' }).click();
    await page.locator('tbody tr').nth(32).waitFor();
    await page.context().close();
  });

  it('the overview counts on while a field is typed in and a table is open', async () => {
    const page = await open('/');
    const tile = page.locator('.tiles a', { hasText: 'calls' }).first();
    const [was] = ((await tile.textContent()) as string).match(/\d+/) ?? [];
    await page.getByText('As a table').first().click();
    const from = page.getByLabel('From');
    await from.fill('2026-01-02');
    await from.focus();
    await dashboard.seed(QUEUED);
    await page.locator('.tiles a', { hasText: new RegExp(`^${Number(was) + 1}\\b`) }).waitFor();
    expect(await from.inputValue()).toBe('2026-01-02');
    expect(await page.evaluate('document.activeElement.name')).toBe('from');
    expect(await page.locator('details.numbers').first().getAttribute('open')).not.toBeNull();
    expect(await isFirst(page)).toBe(true);
    await page.context().close();
  });

  it('waits while text is selected, and while the tab is hidden', async () => {
    const page = await open('/');
    const title = page.getByRole('heading', { level: 1 });
    await title.waitFor();
    await page.evaluate(`getSelection().selectAllChildren(document.querySelector('h1'))`);
    const calls = () => page.locator('.tiles b').first().textContent();
    const before = await calls();
    await dashboard.seed(parked());
    await page.locator('header .count', { hasText: /^\d+$/ }).first().waitFor();
    expect(await calls()).toBe(before);
    await page.evaluate('getSelection().removeAllRanges()');
    await page
      .locator('.tiles b', { hasText: new RegExp(`^${Number(before) + 1}$`) })
      .first()
      .waitFor();
    // What a browser does with a tab that is no longer seen.
    await page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'))`);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await dashboard.seed(parked());
    await page.waitForTimeout(500);
    expect(requests).toEqual([]);
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`);
    await page
      .locator('.tiles b', { hasText: new RegExp(`^${Number(before) + 2}$`) })
      .first()
      .waitFor();
    await page.context().close();
  });

  it('a call that is on its way comes to its end before one’s eyes', async () => {
    const id = await dashboard.seed(QUEUED);
    const page = await open(`/calls/${id}?source=main`);
    await page.locator('.delivery-box .chip', { hasText: 'queued' }).waitFor();
    await write(id);
    await page.locator('.delivery-box .chip', { hasText: 'written' }).waitFor();
    expect(await isFirst(page)).toBe(true);
    await page.context().close();
  });

  it('says it to those who hear the page, once and in words', async () => {
    const page = await open('/parked');
    await page.locator('header .count').first().waitFor({ state: 'attached' });
    await dashboard.seed(parked());
    const status = page.locator('p.hidden[role=status]');
    await status.getByText(/^(Parked: \d+|1 more is parked)$/).waitFor({ state: 'attached' });
    await page.context().close();
  });

  it('fits a phone, and moves nothing for who wants no motion', async () => {
    const page = await open('/calls', { viewport: { width: 390, height: 780 }, reducedMotion: 'reduce' });
    await dashboard.seed(QUEUED);
    await page.getByRole('link', { name: '1 new call' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.evaluate(`document.querySelector('tbody tr').classList.add('moved')`);
    expect(await page.evaluate(`getComputedStyle(document.querySelector('tr.moved')).animationName`)).toBe('none');
    await page.context().close();
  });

  it('is as before without a script', async () => {
    const context = await browser.newContext({ baseURL: dashboard.url, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto('/calls');
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(30);
    expect(await page.locator('header .count').count()).toBe(0);
    await context.close();
  });
});
