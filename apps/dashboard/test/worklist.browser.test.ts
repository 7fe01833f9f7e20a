/** Deciding what is parked, by mouse, by keys and without a script, in a real browser. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { openAmbiguous } from './support/ambiguous.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  let browser: Browser;
  let redis: PrivateRedis;
  let open: Awaited<ReturnType<typeof openAmbiguous>>;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser.close();
    await redis.stop();
  });
  beforeEach(async ({ onTestFinished, onTestFailed }) => {
    open = await openAmbiguous({ redis: redis.url });
    onTestFinished(() => open.close());
    await begin(onTestFinished);
    onTestFailed(async () => console.error(page.url(), await page.innerText('body').catch(String)));
  });

  async function begin(onTestFinished: (work: () => Promise<void>) => void, options = {}): Promise<void> {
    complaints = [];
    context = await browser.newContext({ baseURL: open.dashboard.url, timezoneId: 'UTC', ...options });
    const made = context;
    onTestFinished(() => made.close());
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  }

  const left = (number: number) => page.getByText(`${number} left`, { exact: true }).waitFor();

  it('decides one after the other by keys alone, from the list to the last', async () => {
    const [third, second, first] = [await open.park('a'), await open.park('b'), await open.park('c')];
    await page.goto('/parked');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(first);
    await page.keyboard.press('o');
    await left(3);
    await page.keyboard.press('2');
    await left(2);
    expect(await open.dashboard.delivery(first)).toMatchObject({ state: 'queued', chosen: { person: open.dana } });
    await page.keyboard.press('n');
    await page.getByRole('link', { name: third }).first().waitFor();
    await page.keyboard.press('d');
    // The reason is typed into the field: no letter of it is taken for a key.
    await page.keyboard.type('drop 1 2 r n o');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'That was the last' }).waitFor();
    expect(await open.dashboard.delivery(third)).toMatchObject({ dropped: { reason: 'drop 1 2 r n o' } });
    expect((await open.dashboard.delivery(second)).state).toBe('parked');
    expect(complaints).toEqual([]);
  });

  it('shows the keys, and switches them off for good', async () => {
    const id = await open.park();
    await page.goto('/parked/decide');
    await page.keyboard.press('?');
    await page.getByText('choose that candidate').waitFor();
    await page.getByLabel('single keys are on').uncheck();
    await page.locator('h1').click();
    await page.keyboard.press('1');
    await page.goto('/parked');
    await page.keyboard.press('j');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('BODY');
    expect((await open.dashboard.delivery(id)).state).toBe('parked');
    await page.locator('details.keys summary').click();
    await page.getByLabel('single keys are on').check();
    await page.keyboard.press('j');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(id);
  });

  it('decides all of a number after a look at them, without a script', async ({ onTestFinished }) => {
    await begin(onTestFinished, { javaScriptEnabled: false });
    const ids = [await open.park(), await open.park(), await open.park()];
    const other = await open.park('another number');
    await page.goto('/parked');
    await page
      .getByRole('row', { name: ids[0] as string })
      .getByRole('link', { name: /^Decide/ })
      .click();
    await page.getByRole('link', { name: 'The same for 2 others of this number…' }).last().click();
    await page.getByRole('heading', { name: `Decide 3 deliveries for ${open.dana}` }).waitFor();
    for (const id of ids) await page.getByRole('link', { name: id }).waitFor();
    await page.getByRole('button', { name: 'Decide these 3' }).click();
    await page.getByText('3 of 3 queued again.').waitFor();
    await left(1);
    for (const id of ids)
      expect(await open.dashboard.delivery(id)).toMatchObject({ state: 'queued', chosen: { person: open.dana } });
    expect((await open.dashboard.delivery(other)).state).toBe('parked');
    await page.getByRole('button', { name: `This is the person: ${open.rob}` }).click();
    await page.getByRole('heading', { name: 'All decided' }).waitFor();
  });

  it('replays many after a look at what they would write', async () => {
    const ids = [await open.park('a'), await open.park('b')];
    await page.goto('/parked');
    await page.getByRole('link', { name: 'Replay these 2…' }).click();
    await page.getByRole('button', { name: 'Ask the CRM what they would write' }).click();
    await page.getByText('writes', { exact: false }).first().waitFor();
    await page.getByRole('button', { name: 'Replay these 2' }).click();
    await page.getByText('2 of 2 queued again.').waitFor();
    for (const id of ids) expect((await open.dashboard.delivery(id)).state).toBe('queued');
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'axe finds nothing in %s colours, and no page is wider than a phone',
    async (colorScheme) => {
      const id = await open.park();
      await open.park();
      const alike = `of_source=main&call_id=${id}&of_route=sales-calls&person=${open.rob}`;
      const checked = await browser.newContext({ baseURL: open.dashboard.url, colorScheme, bypassCSP: true });
      page = await checked.newPage();
      const found: unknown[] = [];
      for (const path of [
        '/parked',
        '/parked/decide',
        '/parked/decide?code=none',
        `/parked/choose?${alike}`,
        '/parked/preview?action=replay',
        '/parked/preview?action=drop',
      ]) {
        await page.setViewportSize({ width: 1200, height: 900 });
        await page.goto(path);
        for (const keys of await page.locator('details.keys').all())
          await keys.evaluate('(one) => { one.open = true; }');
        await page.evaluate(axe.source);
        const run = "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })";
        const { violations } = (await page.evaluate(run)) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        for (const { id: rule, nodes } of violations) found.push([path, rule, nodes[0]?.html]);
        await page.setViewportSize({ width: 390, height: 800 });
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (width > 390) found.push([path, width]);
      }
      await checked.close();
      expect(found).toEqual([]);
    },
  );
});
