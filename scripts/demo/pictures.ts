/**
 * Pages of the dashboard as the demo's week leaves them: each in light, dark and as wide as a phone. The guide shows some of
 * them, docs/guide/pictures; all of them are in .pictures, for those who look at a change.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { DemoInstallation } from './installation.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const GUIDE = join(ROOT, 'docs/guide/pictures');
const ALL = join(ROOT, '.pictures');
const WIDE = { width: 1200, height: 900 };
const LOOKS = {
  light: { colorScheme: 'light', viewport: WIDE },
  dark: { colorScheme: 'dark', viewport: WIDE },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 780 } },
} as const;
/** What the guide shows of a page: its beginning. */
const CLIPS = {
  ...{ light: { x: 0, y: 0, ...WIDE }, dark: { x: 0, y: 0, ...WIDE } },
  phone: { x: 0, y: 0, ...LOOKS.phone.viewport },
};
type Look = keyof typeof LOOKS;

interface Shot {
  name: string;
  path: string;
  /** In which looks the guide shows it. */
  guide?: readonly Look[];
  /** Done before the picture is taken. */
  prepare?(page: Page): Promise<unknown>;
}

/** Takes them with a browser that is running. @returns the files of the guide, in their order */
export async function takeDashboardPictures(browser: Browser, demo: DemoInstallation): Promise<string[]> {
  for (const folder of [GUIDE, ALL]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const files: string[] = [];
  for (const { name, path, guide = [], prepare } of await shotsOf(demo)) {
    for (const look of Object.keys(LOOKS) as Look[]) {
      const context = await browser.newContext({ baseURL: demo.dashboard, ...LOOKS[look], reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(path);
      await prepare?.(page);
      const file = `${name}-${look}.png`;
      writeFileSync(join(ALL, file), await page.screenshot({ fullPage: true, scale: 'css' }));
      if (guide.includes(look)) {
        files.push(join(GUIDE, file));
        writeFileSync(join(GUIDE, file), await page.screenshot({ fullPage: true, clip: CLIPS[look], scale: 'css' }));
      }
      await context.close();
    }
  }
  return files;
}

async function shotsOf({ dashboard }: DemoInstallation): Promise<Shot[]> {
  const everywhere = ['light', 'dark', 'phone'] as const;
  const firstOf = async (list: string) => {
    const page = await (await fetch(dashboard + list)).text();
    const address = /href="(\/calls\/[^"?]+[^"]*)"/.exec(page)?.[1];
    if (!address) throw new Error(`${list} has no call: the demo is not what its pictures are of`);
    return address.replaceAll('&amp;', '&');
  };
  return [
    { name: 'overview', path: '/', guide: everywhere },
    { name: 'overview-client', path: '/?client=acme' },
    { name: 'calls', path: '/calls?outcome=connected&client=acme', guide: everywhere, prepare: askNames },
    { name: 'call', path: await firstOf('/calls?client=acme&result=booked&state=written'), guide: everywhere },
    { name: 'call-parked', path: await firstOf('/parked') },
    { name: 'call-dead', path: await firstOf('/dead') },
    { name: 'parked', path: '/parked', guide: ['light'] },
    { name: 'decide', path: '/parked/decide?code=ambiguous_person' },
    { name: 'replay-many', path: '/parked/preview?action=replay' },
    { name: 'dead', path: '/dead' },
    { name: 'omissions', path: '/omissions' },
    { name: 'connections', path: '/connections' },
    { name: 'setup', path: '/setup' },
    { name: 'workbench', path: '/playground', guide: ['light'], prepare: editMapping },
    { name: 'audit', path: '/audit' },
    { name: 'clients', path: '/clients' },
    { name: 'queues', path: '/queues/', prepare: (page) => page.waitForLoadState('networkidle') },
  ];
}

async function askNames(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Show names and numbers' }).click();
  await page.getByText('Names and numbers as the CRM says them now').waitFor();
}

/** A line with a mistake in it, so that the picture has a finding. */
async function editMapping(page: Page): Promise<void> {
  await page.locator('#editor .cm-content').click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('time_zone: Europe/Nowhere\n');
  await page.locator('#editor .cm-lintRange-error').first().waitFor();
}
