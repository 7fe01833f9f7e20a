import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hubspotSettings } from '../src/index.ts';

const run = promisify(execFile);

/** Modules of HubSpot's client that a fresh process holds after running the script. */
async function clientModules(script: string): Promise<number> {
  const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href);
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '-e',
    `import { createRequire } from 'node:module';
     const { hubspotKind } = await import(${index});
     ${script}
     const loaded = Object.keys(createRequire(import.meta.url).cache).filter((name) => name.includes('api-client'));
     console.log(loaded.length);`,
  ]);
  return Number(stdout);
}

test('knowing the kind does not load HubSpot’s client, connecting does', async () => {
  expect(await clientModules('')).toBe(0);
  const connect = `await hubspotKind.connect('sales', hubspotKind.settings.parse({ access_token: 'pat-x' }));`;
  expect(await clientModules(connect)).toBeGreaterThan(0);
});

test('settings have defaults, and say what is wrong', () => {
  expect(
    hubspotSettings.parse({ access_token: ' pat-x\n', portal: 123, base_url: 'http://127.0.0.1:8090/hubspot/' }),
  ).toEqual({
    access_token: 'pat-x',
    base_url: 'http://127.0.0.1:8090/hubspot',
    api_version: '2026-09',
    timeout: 10_000,
    on_refused_field: 'drop',
    without_key: 'park',
    portal: '123',
  });
  for (const wrong of [
    {},
    { access_token: '' },
    { access_token: 'x', base_url: 'ftp://x' },
    { access_token: 'x', api_version: 'latest' },
    { access_token: 'x', timeout: 5 },
    { access_token: 'x', on_refused_field: 'guess' },
    { access_token: 'x', acces_token: 'x' },
  ])
    expect(hubspotSettings.safeParse(wrong).success).toBe(false);
});
