import { formatFinding } from '@wrapup/findings';
import { expect } from 'vitest';
import { compile, unmark } from './compile.ts';

/** What is wrong, the file with the place marked by », and what the finding must say. */
export type Mistake = [string, string, { code: string; says: RegExp; hint?: RegExp }];

/** A mapping of one field. */
export const field = (form: string) => `person:\n  fields:\n    x: ${form}\n`;

/** One mistake gives one error, at its place, and no mapping. */
export function expectMistake([, marked, wanted]: Mistake): void {
  const { text, line, column } = unmark(marked);
  const { mapping, findings } = compile(text, { presets: { 'call-log': 'call_log: {}\n' } });
  const all = findings.map(formatFinding);
  const found = findings.find(({ code, at }) => code === wanted.code && at?.line === line && at.column === column);
  expect(found, `nothing at ${line}:${column} among\n${all.join('\n')}`).toBeDefined();
  expect(found?.message).toMatch(wanted.says);
  if (wanted.hint) expect(found?.hint).toMatch(wanted.hint);
  expect(found?.at?.file).toBe('mappings/acme.yaml');
  expect(mapping).toBeUndefined();
  expect(findings.filter(({ severity }) => severity === 'error').length, all.join('\n')).toBe(1);
}
