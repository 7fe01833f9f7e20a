/** The workbench as a person types in it, in a real browser. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runFixtures } from '@wrapup/fixtures';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { type ConfigFolder, MAPPING_FILE, makeConfigFolder } from './support/config-folder.ts';
import { type Harness, startDashboard } from './support/harness.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const MAPPING = `# What is different.
extends: hubspot/call-log
person:
  fields:
    jobtitle: vars.topic
`;

describe.skipIf(!existsSync(CHROMIUM))('the workbench in a browser', () => {
  let browser: Browser;
  let redis: PrivateRedis;
  let files: ConfigFolder;
  let dashboard: Harness;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false });
    files = await makeConfigFolder(undefined, { [MAPPING_FILE]: MAPPING });
    dashboard = await startDashboard({
      redis: redis.url,
      config: files.config,
      latest: files.latest,
      writesMappings: true,
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await redis.stop();
    files.remove();
  });
  beforeEach(async ({ onTestFinished }) => {
    files.write(MAPPING_FILE, MAPPING);
    await files.latest();
    const context = await open();
    onTestFinished(() => context.close());
  });

  async function open(options: BrowserContextOptions = {}) {
    complaints = [];
    const context = await browser.newContext({ baseURL: dashboard.url, ...options });
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    return context;
  }

  const editor = () => page.locator('#editor .cm-content');
  const said = (text: string) => page.locator('.said').getByText(text).waitFor();
  /** Opens the page with the cursor behind the last line. */
  async function begin(): Promise<void> {
    await page.goto('/playground');
    await editor().click();
    await page.keyboard.press('Control+End');
  }

  it('completes by the schema and by the names of the call, and the plan follows what is typed', async () => {
    await begin();
    await page.keyboard.type('    city: vars.bu');
    const completion = page.locator('#editor .cm-tooltip-autocomplete li[aria-selected]');
    // A key is taken for a choice only when the list has been there for a moment.
    await completion.getByText('vars.budget').click();
    await said('1 difference in the plan');
    await page.getByRole('row', { name: 'city' }).getByText('12000').waitFor();
    // Keys of a section, with what they mean.
    await page.keyboard.type('\ncountry: { fr');
    await completion.getByText('from').click();
    await page.keyboard.type('lead.country }');
    await said('2 differences in the plan');
    const typed = await page.locator('#mapping').inputValue();
    expect(typed).toBe(`${MAPPING}    city: vars.budget\n    country: { from: lead.country }`);
    expect(complaints).toEqual([]);
  });

  it('marks an error at its place, and leads to its line from the list', async () => {
    await begin();
    await page.keyboard.type('    city: lead.nmae');
    await page.keyboard.press('Escape');
    await said('1 error');
    await page.locator('#editor .cm-lintRange-error').getByText('lead.nmae').waitFor();
    const finding = page.locator('.findings li.error');
    expect(await finding.innerText()).toMatch(/line 6.*lead\.nmae/s);
    await page.keyboard.press('Control+Home');
    await finding.getByRole('link', { name: 'line 6' }).click();
    await page.keyboard.press('Home');
    await page.keyboard.type('# ');
    await said('no difference in the plan');
    expect(await page.locator('#editor .cm-lintRange-error').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('indents what is typed below a key, and below an item of a list', async () => {
    await begin();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('person:\nfields:\ncity: vars.topic');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await page.keyboard.type('\njobtitle: vars.budget');
    const text = 'person:\n  fields:\n    jobtitle: vars.budget\n    city: vars.topic';
    await expect.poll(() => page.locator('#mapping').inputValue()).toBe(text);
  });

  it('says what a key means where the pointer rests', async () => {
    await page.goto('/playground');
    await editor().getByText('extends').hover();
    await page.locator('#editor .cm-tooltip-hover').getByText('preset').waitFor();
    expect(complaints).toEqual([]);
  });

  it('is left by Escape and then Tab, as it says, while Tab alone indents', async () => {
    await begin();
    await page.keyboard.press('Tab');
    await page.keyboard.type('# x');
    expect(await page.locator('#mapping').inputValue()).toBe(`${MAPPING}  # x`);
    expect(await page.locator('#mapping-help').innerText()).toContain('press Escape and then Tab');
    // What it looks for to complete takes an Escape of its own.
    await page.waitForTimeout(300);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Show the plan');
  });

  it('asks before another call or route takes the place of what was edited', async () => {
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.dismiss();
    });
    const openOther = () => page.getByRole('button', { name: 'Open', exact: true }).click();
    await begin();
    await page.keyboard.type('    city: vars.budget');
    await page.keyboard.press('Escape');
    await said('1 difference in the plan');
    await openOther();
    await expect.poll(() => asked).toEqual(['beforeunload']);
    expect(await page.locator('#mapping').inputValue()).toBe(`${MAPPING}    city: vars.budget`);
    // The form takes along what is edited, and what its answer brings is edited still.
    await page.getByRole('button', { name: 'Save as test' }).click();
    await page.getByRole('heading', { name: 'The test' }).waitFor();
    expect(asked).toHaveLength(1);
    await openOther();
    await expect.poll(() => asked).toHaveLength(2);
    expect(await page.locator('#mapping').inputValue()).toBe(`${MAPPING}    city: vars.budget`);
  });

  it('another sample changes the plan at once', async () => {
    await page.goto('/playground');
    await editor().waitFor();
    await page.getByRole('textbox', { name: 'Payload or case' }).fill('given: voicemail\n');
    await page.getByText('answered by machine').waitFor();
    expect(complaints).toEqual([]);
  });

  it('saves a test that `wrapup test` takes beside the mapping', async () => {
    await page.goto('/playground');
    await editor().waitFor();
    await page.getByLabel('Name of the test').fill('who spoke becomes a contact');
    await page.getByRole('button', { name: 'Save as test' }).click();
    await page.getByRole('heading', { name: 'The test' }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the test' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('hubspot-who-spoke-becomes-a-contact.test.yaml');
    const path = join(files.path, 'mappings', file.suggestedFilename());
    await file.saveAs(path);
    const { findings, tests } = runFixtures(path);
    rmSync(path);
    expect(findings).toEqual([]);
    expect(tests).toMatchObject([{ name: 'who spoke becomes a contact', passed: true }]);
    expect(complaints).toEqual([]);
  });

  it('writes the mapping, with a backup, and is in force at once', async () => {
    await begin();
    await page.keyboard.type('    city: vars.budget');
    await page.keyboard.press('Escape');
    await said('1 difference in the plan');
    await page.getByRole('button', { name: `Write to ${MAPPING_FILE}` }).click();
    await page.getByText(`Written to ${MAPPING_FILE}; as it was: ${MAPPING_FILE}.bak`).waitFor();
    expect(files.read(MAPPING_FILE)).toBe(`${MAPPING}    city: vars.budget`);
    expect(files.read(`${MAPPING_FILE}.bak`)).toBe(MAPPING);
    await said('no difference in the plan');
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'axe finds nothing in %s colours: editor, completion, findings',
    async (colorScheme) => {
      const context = await open({ colorScheme, bypassCSP: true });
      await begin();
      await page.keyboard.type('    city: lead.nmae');
      await said('1 error');
      const check = async () => {
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
        }>(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
        return violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
        );
      };
      expect(await check()).toEqual([]);
      await page.keyboard.press('Control+Home');
      await page.keyboard.type('\n');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.type('tim');
      await page.locator('#editor .cm-tooltip-autocomplete').getByText('_zone').waitFor();
      expect(await check()).toEqual([]);
      await context.close();
    },
  );

  it('fits a phone, and is a form where there is no script', async () => {
    const phone = await open({ viewport: { width: 390, height: 800 } });
    await page.goto('/playground');
    await editor().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await phone.close();
    const plain = await open({ javaScriptEnabled: false });
    await page.goto('/playground');
    await page.locator('#mapping').fill(`${MAPPING}    city: vars.budget\n`);
    await page.getByRole('button', { name: 'Show the plan' }).click();
    await said('1 difference in the plan');
    await page.getByRole('link', { name: 'Overview' }).waitFor();
    await plain.close();
  });

  it('loads its script on no other page, and keeps it until there is another', async () => {
    const loaded: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/assets/workbench.js')) loaded.push(request.url());
    });
    for (const path of ['/', '/calls', '/parked']) await page.goto(path);
    expect(loaded).toEqual([]);
    await page.goto('/playground');
    await editor().waitFor();
    expect(loaded).toHaveLength(1);
    const address = /src="(\/assets\/workbench\.js[^"]*)"/.exec(await (await dashboard.get('/playground')).text())?.[1];
    expect(address).toMatch(/\?v=/);
    const answer = await dashboard.get(address as string, { 'accept-encoding': 'gzip' });
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(Number(answer.headers.get('content-length'))).toBeLessThan(140_000);
  });
});
