import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('importing the port loads no test runner', async () => {
  const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href);
  // The hook sees every module that the import leads to.
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
    await import(${index});
    console.log(JSON.stringify(seen));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const seen = JSON.parse(stdout) as string[];
  expect(seen.some((url) => url.endsWith('destination/src/index.ts'))).toBe(true);
  expect(seen.filter((url) => url.includes('vitest') || url.includes('conformance'))).toEqual([]);
});
