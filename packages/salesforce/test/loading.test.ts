import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

/** Modules of jsforce that a fresh process holds after running the script. */
async function clientModules(script: string): Promise<string[]> {
  const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href);
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '-e',
    `import { createRequire } from 'node:module';
     const { salesforceKind } = await import(${index});
     ${script}
     const loaded = Object.keys(createRequire(import.meta.url).cache).filter((name) => name.includes('jsforce'));
     console.log(JSON.stringify(loaded));`,
  ]);
  return JSON.parse(stdout) as string[];
}

test('knowing the kind does not load jsforce, connecting loads its light entry', async () => {
  expect(await clientModules('')).toEqual([]);
  const settings = "{ client_id: 'k', client_secret: 's', login_url: 'https://acme.my.salesforce.com' }";
  const loaded = await clientModules(`await salesforceKind.connect('x', salesforceKind.settings.parse(${settings}));`);
  expect(loaded.some((name) => name.endsWith('lib/core.js'))).toBe(true);
  expect(loaded.filter((name) => /lib\/api\/(?:metadata|bulk|streaming)/.test(name))).toEqual([]);
});
