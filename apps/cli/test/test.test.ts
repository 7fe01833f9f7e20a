import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wrapup } from './support/run.ts';

function fixture(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-test-'));
  writeFileSync(join(folder, 'a.test.yaml'), text);
  return folder;
}

test('the tests of the example run without variables, Redis or a CRM, and load no client of theirs', async () => {
  const { code, stdout, stderr } = await wrapup(['test'], { NODE_DEBUG: 'esm,module' });
  expect(stdout).toMatch(/config\/mappings\/hubspot\.test\.yaml of hubspot\.yaml\n {2}ok {3}/);
  expect(stdout).toMatch(/\n\d+ tests passed, 0 failed\n$/);
  expect(code).toBe(0);
  for (const heavy of ['@hubspot/api-client', '@jsforce', 'bullmq', 'ioredis', 'axios'])
    expect(stderr).not.toContain(`node_modules/${heavy}`);
});

test('a failing test is shown as a difference, and exits 1', async () => {
  const folder = fixture(`mapping: hubspot/call-log
tests:
  - name: gets the name wrong
    given: connected
    writes: { person: { firstname: Max }, call_log: {}, call-back: {} }
`);
  const { code, stdout } = await wrapup(['test', folder]);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /FAIL gets the name wrong {2}\S+a\.test\.yaml:3\n {7}person\.firstname\n {9}- "Max" {2}\S+a\.test\.yaml:5\n {9}\+ "Dana" {2}preset hubspot\/call-log:\d+\n/,
  );
  expect(stdout).toMatch(/\n0 tests passed, 1 failed\n$/);
  const json = (await wrapup(['test', folder, '--json'])).json() as Record<string, unknown>;
  expect(json).toMatchObject({
    ok: false,
    passed: 0,
    failed: 1,
    files: [
      {
        mapping: 'hubspot/call-log',
        tests: [
          {
            name: 'gets the name wrong',
            passed: false,
            result: 'created',
            differences: [{ what: 'person.firstname' }],
          },
        ],
        coverage: { lines: expect.any(Number) },
      },
    ],
  });
});

test('a file with mistakes exits 1, no file at all 2', async () => {
  const broken = await wrapup(['test', fixture('mapping: hubspot/call-log\ntest: []\n')]);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/a\.test\.yaml:2:1: error: unknown key "test".*\n.*did you mean "tests"/);
  expect((await wrapup(['test', mkdtempSync(join(tmpdir(), 'wrapup-test-'))])).code).toBe(2);
  expect((await wrapup(['test', 'nowhere'])).code).toBe(2);
});
