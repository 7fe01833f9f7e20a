/** Every page in a real browser: axe's rules for WCAG 2.2 AA, in both colours, and no sideways scrolling on a phone. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium, type Page, type Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedDemoCalls } from '../../../test/support/demo-calls.ts';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { type Harness, startDashboard } from './support/harness.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What Bull Board 9.10.1 fails itself, in what it draws: names of buttons and of a drawing, headings, and grey on grey. */
const OF_BULL_BOARD = [
  ...['button-name', 'color-contrast', 'heading-order', 'image-redundant-alt'],
  ...['page-has-heading-one', 'svg-img-alt'],
];

/** Of a menu on a phone, px: its entries are some 32 high. */
const isOneRow = (height: number | undefined) => height !== undefined && height < 48;

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe finds. Whatever it passes stays in the browser: to hand that over takes longer than to look for it. */
async function findingsOf(page: Page, where = 'document'): Promise<Violation[]> {
  const options = { runOnly: RULES, resultTypes: ['violations'] };
  return page.evaluate(`axe.run(${where}, ${JSON.stringify(options)}).then(({ violations }) => violations)`);
}

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  let browser: Browser;
  let redis: PrivateRedis;
  let dashboard: Harness;
  let pages: string[];

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false });
    dashboard = await startDashboard({ redis: redis.url });
    const route = { route: 'sales-calls', connection: 'sales' };
    const people = ['101', '102', '103'];
    const seeded = { calls: 150, until: Date.now() - 1000, agents: ['agent-a', 'agent-b'], route, people };
    const ids = await seedDemoCalls(dashboard.store, seeded);
    await dashboard.store.connections.pause('sales', 'the token is replaced', { name: 'kim', via: 'dashboard' });
    const states = await Promise.all(ids.map(async (id) => (await dashboard.delivery(id)).state));
    const callOf = (state: string) => `/calls/${ids[states.lastIndexOf(state as never)]}?source=main`;
    pages = [
      ...[
        '/',
        '/?range=today',
        '/calls',
        '/calls?outcome=nothing',
        callOf('written'),
        callOf('parked'),
        callOf('dead'),
      ],
      ...['/parked/decide?code=invalid_field', '/parked/preview?action=replay', '/parked/preview?action=drop'],
      ...['/parked', '/dead', '/omissions', '/connections', '/setup', '/playground', '/clients', '/audit', '/nowhere'],
    ];
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await redis.stop();
  });

  it.each(['light', 'dark'] as const)('axe finds nothing on any page in %s colours', async (colorScheme) => {
    const context = await browser.newContext({ baseURL: dashboard.url, colorScheme, bypassCSP: true });
    await context.addInitScript(axe.source);
    const page = await context.newPage();
    const found: string[] = [];
    for (const path of pages) {
      await page.goto(path);
      for (const { id, nodes } of await findingsOf(page))
        found.push(`${path}: ${id} (${nodes.length}): ${nodes[0]?.html}`);
    }
    await context.close();
    expect(found).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'of the queue board, our header is without findings in %s colours',
    async (colorScheme) => {
      const context = await browser.newContext({ baseURL: dashboard.url, colorScheme, bypassCSP: true });
      await context.addInitScript(axe.source);
      const page = await context.newPage();
      for (const path of ['/queues/', '/queues/queue/deliveries.sales']) {
        await page.goto(path);
        await page.getByText('maintenance').first().waitFor();
        expect(await findingsOf(page, '".wrapup"')).toEqual([]);
        const violations = await findingsOf(page);
        expect(violations.map(({ id }) => id).filter((id) => !OF_BULL_BOARD.includes(id))).toEqual([]);
        const [ours, theirs] = await page.evaluate<[string, string]>(
          `['.wrapup', '#root header'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)`,
        );
        expect(theirs).toBe(ours);
      }
      await context.close();
    },
  );

  it('no page is wider than a phone, and the menu is one row there', async () => {
    const context = await browser.newContext({ baseURL: dashboard.url, viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    const wide: [string, number][] = [];
    for (const path of [...pages, '/queues/']) {
      await page.goto(path);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      if (width > 390) wide.push([path, width]);
      const menu = page.locator('body > header nav');
      if (await menu.count())
        expect([path, (await menu.boundingBox())?.height]).toEqual([path, expect.toSatisfy(isOneRow)]);
    }
    await context.close();
    expect(wide).toEqual([]);
  });

  it('the first view takes little, and reads no script from elsewhere', async () => {
    const context = await browser.newContext({ baseURL: dashboard.url });
    const page = await context.newPage();
    const bodies: Promise<Buffer>[] = [];
    // The stream of a page that is live has no end.
    const isStream = (response: Response) => response.headers()['content-type']?.startsWith('text/event-stream');
    page.on('response', (response) => isStream(response) || bodies.push(response.body()));
    await page.goto('/', { waitUntil: 'networkidle' });
    const bytes = (await Promise.all(bodies)).reduce((sum, { length }) => sum + length, 0);
    await context.close();
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(100_000);
  });
});
