/** The pages as a person sees and presses them, in a real browser. */
import { existsSync } from 'node:fs';
import type { Omission } from '@wrapup/destination';
import type { DeliveryChange } from '@wrapup/queue';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { type Harness, parked, sessionCookie, startDashboard } from './support/harness.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
/** In a container Chromium cannot have its own sandbox; what it loads here is our own. The rest keeps it off the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const credentials = { user: 'admin', password: 'pässword' };

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  let browser: Browser;
  let redis: PrivateRedis;
  let dashboard: Harness;
  let page: Page;
  /** Cookie of a session. */
  let session: string;
  /** What the page complained about: refused content, thrown errors, dialogs, requests to elsewhere. */
  let complaints: string[];

  beforeAll(async () => {
    // A page waits a second for Redis and then says so: here no other test keeps it busy.
    redis = await startRedis({ appendonly: false });
    dashboard = await startDashboard({ redis: redis.url, credentials });
    session = sessionCookie(await dashboard.login(credentials));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await redis.stop();
  });
  beforeEach(async ({ onTestFinished, onTestFailed }) => {
    onTestFailed(async () => console.error(page.url(), await page.innerText('body').catch(String), dashboard.logged()));
    complaints = [];
    const context = await browser.newContext({ baseURL: dashboard.url });
    const [name = '', value = ''] = session.split('=');
    await context.addCookies([{ name, value, url: dashboard.url }]);
    onTestFinished(() => context.close());
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(dashboard.url)) complaints.push(`request to ${request.url()}`);
    });
  });

  it('a person signs in, gets to the page that was asked for, and signs out', async () => {
    await page.context().clearCookies();
    await page.goto('/parked?reason=x');
    await page.getByLabel('User').fill(credentials.user);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('User or password is wrong.').waitFor();
    // A browser notes that an answer had the status 403.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);
    await page.getByLabel('User').fill(credentials.user);
    await page.getByLabel('Password').fill(credentials.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Parked', level: 1 }).waitFor();
    expect(new URL(page.url()).search).toBe('?reason=x');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Signed out.').waitFor();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('replay is two clicks away from the list, and the call is on its way again', async () => {
    const callId = await dashboard.seed(parked());
    await page.goto('/calls');
    await page.getByRole('link', { name: callId }).click();
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.locator('.notice[role=status]').waitFor();
    expect(await page.locator('.notice[role=status]').textContent()).toContain('Queued again');
    expect(await dashboard.delivery(callId)).toMatchObject({ state: 'queued', replays: 1 });
    // The page follows it by itself, and does not go on saying that it is on its way.
    const { revision } = await dashboard.delivery(callId);
    const again = { source: 'main', call_id: callId, route: 'sales-calls', revision, replays: 1 };
    await dashboard.store.ledger.recordOutcome(again, {
      state: 'parked',
      code: 'ambiguous_person',
      reason: 'Still two.',
    });
    await page.getByText('parked again').waitFor();
    await page.getByText('Still two.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('the person is chosen beside the candidates, on the page of parked calls', async () => {
    const candidates = ['70000000101', '70000000102'];
    const ambiguous = { by: 'phone' as const, digest: 'aDigestOfTheNumber' };
    const callId = await dashboard.seed(parked({ candidates, ambiguous }));
    await page.goto('/parked');
    const row = page.getByRole('row', { name: callId });
    const choice = row.getByRole('listitem').filter({ hasText: '70000000102' });
    await choice.getByRole('checkbox', { name: 'also for later calls' }).check();
    await choice.getByRole('button', { name: 'This is the person: 70000000102' }).click();
    await page.locator('.notice[role=status]').waitFor();
    expect(await dashboard.delivery(callId)).toMatchObject({ state: 'queued', chosen: { person: '70000000102' } });
    expect(await dashboard.store.choices.list()).toMatchObject([{ person: '70000000102', call_id: callId }]);
    expect(complaints).toEqual([]);
  });

  it('calls that lost a field are found from the list, and replayed by their line', async () => {
    const other = await startDashboard({ redis: redis.url });
    try {
      const omission: Omission = {
        ...{
          code: 'missing_property',
          record: 'person',
          field: 'wrapup_budget',
          reason: 'the account has no such property',
        },
        ...{ hint: 'Run `wrapup provision`; then replay.', at: { file: 'mappings/hubspot.yaml', line: 9, column: 5 } },
      };
      const change: DeliveryChange = { state: 'written', records: [], requests: 1, notes: [omission] };
      const seed = () => other.seed({ deliveries: [{ route: 'sales-calls', connection: 'sales', change }] });
      const ids = [await seed(), await seed()];
      await page.goto(`${other.url}/calls?omitted=1`);
      await page.getByText('1 field left out').first().waitFor();
      await page.getByRole('link', { name: 'Omissions' }).click();
      await page.getByRole('heading', { name: 'Omissions', level: 1 }).waitFor();
      await page.setViewportSize({ width: 390, height: 800 });
      const row = page.getByRole('row', { name: 'person.wrapup_budget' });
      await row.getByText('Replay these 2 calls…').click();
      await row.getByRole('button', { name: 'Replay these 2 calls' }).click();
      await page.getByText('2 of 2 queued again.').waitFor();
      for (const id of ids) expect(await other.delivery(id)).toMatchObject({ state: 'queued', replays: 1 });
      await page.getByRole('link', { name: ids[0] as string }).click();
      await page.getByText('Left out', { exact: true }).waitFor();
      expect(complaints.filter((one) => !one.includes(other.url))).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('drop asks for a reason before it does anything', async () => {
    const callId = await dashboard.seed(parked());
    await page.goto('/parked');
    const row = page.getByRole('row', { name: callId });
    await row.getByText('Drop…').click();
    await row.getByRole('button', { name: 'Drop this delivery' }).click();
    expect((await dashboard.delivery(callId)).state).toBe('parked');
    await row.getByRole('textbox').fill('a test call');
    await row.getByRole('button', { name: 'Drop this delivery' }).click();
    await page.locator('.notice[role=status]').waitFor();
    expect(await dashboard.delivery(callId)).toMatchObject({ state: 'dropped', dropped: { reason: 'a test call' } });
    expect(complaints).toEqual([]);
  });

  it('many are chosen by reason, looked at, and replayed with one press', async () => {
    const other = await startDashboard({ redis: redis.url });
    try {
      const field = parked({
        code: 'invalid_field',
        reason: 'HubSpot takes no "soon" for closedate.',
        hint: 'Add it.',
      });
      const ids = [await other.seed(field), await other.seed(field), await other.seed(field)];
      const ambiguous = await other.seed(parked());
      await page.goto(`${other.url}/parked`);
      await page.getByText('4 deliveries').waitFor();
      await page
        .getByRole('textbox', { name: 'Reason or code' })
        .or(page.getByRole('combobox', { name: 'Reason or code' }))
        .fill('closedate');
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByText('3 deliveries match.').waitFor();
      for (const id of ids) expect(await page.getByRole('link', { name: id }).count()).toBe(1);
      expect(await page.getByRole('link', { name: ambiguous }).count()).toBe(0);
      // What stops after the page was made is not included.
      const late = await other.seed(field);
      await page.getByText('Replay these 3…').click();
      await page.getByRole('button', { name: 'Replay these 3' }).click();
      await page.getByText('3 of 3 queued again.').waitFor();
      for (const id of ids) expect(await other.delivery(id)).toMatchObject({ state: 'queued', replays: 1 });
      for (const id of [ambiguous, late]) expect((await other.delivery(id)).state).toBe('parked');
      expect(complaints.filter((line) => !line.startsWith(`request to ${other.url}/`))).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('Bull Board has a way back', async () => {
    await page.goto('/queues/');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('callers’ and CRMs’ text is shown, not run', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const callId = await dashboard.seed(parked({ reason: evil, hint: evil, notes: [evil] }));
    for (const path of ['/calls', '/parked', `/calls/${callId}`]) {
      await page.goto(path);
      if (path !== '/calls') expect(await page.getByText(evil).count()).toBeGreaterThan(0);
      expect(await page.locator('img').count()).toBe(0);
    }
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('pages are readable in %s colours', async (colorScheme) => {
    await dashboard.seed(parked());
    await page.emulateMedia({ colorScheme });
    for (const path of ['/', '/parked', '/playground']) {
      await page.goto(path);
      const [text, back] = (await page.evaluate(
        '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
      )) as [string, string];
      expect(contrast(text, back)).toBeGreaterThan(7);
    }
    expect(complaints).toEqual([]);
  });

  it('the queue board works under our policy, and leads to the call', async () => {
    const callId = await dashboard.seed({ deliveries: [{ route: 'sales-calls', connection: 'sales' }] });
    const entry = await dashboard.store.ledger.read('main', callId);
    const [delivery] = entry?.deliveries ?? [];
    if (!entry || !delivery) throw new Error('no delivery to look at');
    await dashboard.store.operations.enqueueDelivery(entry, delivery, 5);
    await page.goto('/queues/queue/deliveries.sales');
    await page.getByText(callId).first().waitFor();
    await page.getByRole('link', { name: 'The call' }).first().waitFor();
    expect(await page.getByRole('link', { name: 'The call' }).first().getAttribute('href')).toBe(
      `/calls/${callId}?source=main`,
    );
    await page.goto(`/calls/${callId}?source=main`);
    await page.getByRole('link', { name: 'in the queue deliveries.sales' }).click();
    await page.getByText(callId).first().waitFor();
    expect(new URL(page.url()).pathname).toContain('/queues/queue/deliveries.sales/d-');
    await page.goto('/queues/queue/deliveries.sales');
    await page.getByText(callId).first().waitFor();
    expect(await page.getByRole('button', { name: /retry|clean|empty|obliterate/i }).count()).toBe(0);
    // Its dialogs bring styles of their own: Redis details, settings.
    for (const button of [1, 3]) {
      await page.goto('/queues/');
      await page.getByText('maintenance').first().waitFor();
      await page.locator('header button').nth(button).click();
      await page.locator('[role=dialog], [role=menu]').waitFor();
    }
    await page.goto('/queues/');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Parked' }).click();
    await page.getByRole('heading', { name: 'Parked' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

/** WCAG 2 contrast of two `rgb(…)` colours. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
