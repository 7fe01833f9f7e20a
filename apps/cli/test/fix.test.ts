import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { reportFixes } from '../src/commands/mappings/fix.ts';
import { makeOutput } from '../src/terminal/output.ts';
import { CONFIG, configFolder } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const OLD = `# ours
extends: hubspot/call-log
tasks:
  - name: ring # permanent
    subject: Ring back
    priority: HIGH # always
    status: "WAITING"
`;
const NEW = OLD.replace('HIGH', '{ value: HIGH }').replace('"WAITING"', '{ value: "WAITING" }');

function installation(mapping = OLD) {
  const folder = configFolder(CONFIG, mapping);
  const path = join(folder, 'mappings/hubspot.yaml');
  const check = (...args: string[]) => wrapup(['check', '--no-env', '--config', join(folder, 'wrapup.yaml'), ...args]);
  return { path, check, read: () => readFileSync(path, 'utf8') };
}

test('check names the new form, and --fix writes it, keeps the rest and the text from before', async () => {
  const { path, check, read } = installation();
  const found = await check('--strict');
  expect(found.code).toBe(1);
  expect(found.stdout).toContain(
    `${path}:6:15: warning: priority: "HIGH" is a constant, and a text without braces is a path [bare-constant]\n    write { value: HIGH }; \`wrapup check --fix\` does\n`,
  );
  const mode = statSync(path).mode;
  const fixed = await check('--fix', '--strict');
  expect(fixed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^fixed \S+hubspot\.yaml: 2 lines; as it was: \S+\.bak\n/),
  });
  expect(fixed.stdout).toContain('ok without variables: 0 errors, 0 warnings\n');
  expect(read()).toBe(NEW);
  expect(readFileSync(`${path}.bak`, 'utf8')).toBe(OLD);
  expect(statSync(path).mode).toBe(mode);
  // A second time there is nothing to do.
  expect((await check('--fix')).stdout).toBe('ok without variables: 0 errors, 0 warnings\n');
  expect(existsSync(`${path}.bak-2`)).toBe(false);
});

test('a symbolic link stays one, and the file that it leads to is fixed', async () => {
  const { path, check, read } = installation();
  const target = join(dirname(path), 'shared.txt');
  renameSync(path, target);
  chmodSync(target, 0o640);
  symlinkSync('shared.txt', path);
  expect((await check('--fix', '--strict')).code).toBe(0);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect([read(), readFileSync(target, 'utf8')]).toEqual([NEW, NEW]);
  expect(statSync(target).mode & 0o777).toBe(0o640);
  expect(readdirSync(dirname(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a text from before that is kept already stays', async () => {
  const { path, check } = installation();
  writeFileSync(`${path}.bak`, 'older');
  const { json } = await check('--fix', '--json');
  expect(json()).toMatchObject({
    ok: true,
    fixes: [{ state: 'written', fixes: 2, backup: expect.stringMatching(/\.bak-2$/) }],
  });
  expect(readFileSync(`${path}.bak`, 'utf8')).toBe('older');
  expect(readFileSync(`${path}.bak-2`, 'utf8')).toBe(OLD);
});

test('--dry-run shows what would change, writes nothing, and exits 1 while there is something', async () => {
  const { path, check, read } = installation();
  const { code, stdout } = await check('--fix', '--dry-run');
  expect(code).toBe(1);
  expect(stdout).toContain(
    `     subject: Ring back
-    priority: HIGH # always
-    status: "WAITING"
+    priority: { value: HIGH } # always
+    status: { value: "WAITING" }
`,
  );
  expect(read()).toBe(OLD);
  expect(existsSync(`${path}.bak`)).toBe(false);
  writeFileSync(path, NEW);
  expect((await check('--fix', '--dry-run')).code).toBe(0);
  expect((await check('--dry-run')).code).toBe(2);
});

test('a file that was changed meanwhile is left alone', () => {
  const { path, read } = installation('changed by an editor');
  const fixed = { file: path, before: OLD, after: NEW, fixes: [] };
  expect(reportFixes([fixed], false, makeOutput(true))).toMatchObject([{ state: 'changed_meanwhile' }]);
  expect(read()).toBe('changed by an editor');
  expect(existsSync(`${path}.bak`)).toBe(false);
});

test('what --fix cannot do is left to a person: exit 1', async () => {
  const { check, read } = installation(`${OLD}call_log: { transcript: exact, titel: Call }\n`);
  const { code, stdout } = await check('--fix');
  expect(code).toBe(1);
  expect(stdout).toContain('did you mean "title"?');
  expect(read()).toContain('call_log: { titel: Call }\n');
});

test('lines that cannot be rewritten in place are left, and said to be', async () => {
  const { check, read } = installation(OLD.replace('HIGH # always', '>-\n      HIGH'));
  const { code, stdout, stderr } = await check('--fix');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('1 line cannot be rewritten in place: change it by hand'),
  ]);
  expect(stdout).toMatch(/^fixed \S+hubspot\.yaml: 1 line; /);
  expect(read()).toContain('priority: >-\n      HIGH\n    status: { value: "WAITING" }\n');
});

test('several documents in one file are refused in the words of a user', async () => {
  const { code, stdout } = await installation(`${OLD}---\n${OLD}`).check();
  expect(code).toBe(1);
  expect(stdout).toMatch(/hubspot\.yaml:8:1: error: the file has several documents \[yaml\]\n {4}keep one document/);
});

test('--upgrade names lines that mean something else than in the version before', async () => {
  const text = `extends: hubspot/lead-qualification
time_zone: Europe/Berlin
person:
  fields:
    seen: { from: vars.seen, transform: datetime }
    asked: { from: vars.asked, transform: { datetime: UTC } }
    income: { from: vars.income, transform: number }
deals: [ { name: other, title: Other, stage: { value: new, write: overwrite } } ]
`;
  const { check } = installation(text);
  expect((await check('--strict')).code).toBe(0);
  const { json } = await check('--upgrade', '--json');
  const { findings } = json() as { findings: { code: string; message: string; at: { line: number } }[] };
  expect(findings.map(({ code, at, message }) => [code, at.line, message])).toEqual([
    ['changed-meaning', 1, expect.stringContaining('wrapup_opted_out')],
    ['changed-meaning', 5, expect.stringContaining('time_zone Europe/Berlin')],
    ['changed-meaning', 7, expect.stringContaining('65.000')],
    ['changed-meaning', 8, expect.stringMatching(/^other: .*\(if_ours\).*: dealname$/)],
  ]);
});
