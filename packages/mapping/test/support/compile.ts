import type { Call } from '@wrapup/call';
import { formatFinding } from '@wrapup/findings';
import { type CompiledMapping, compileMapping, type Dialect, type Plan, type Value } from '@wrapup/mapping';
import { expect } from 'vitest';
import { someCall } from './call.ts';
import { acmeDialect } from './dialect.ts';

export interface Folder {
  files?: Record<string, string>;
  presets?: Record<string, string>;
  dialect?: Dialect;
}

/** Compiles a text as `mappings/acme.yaml`. */
export function compile(text: string, { files = {}, presets = {}, dialect = acmeDialect(presets) }: Folder = {}) {
  return compileMapping({ name: 'mappings/acme.yaml', text, dialect, readFile: (path) => files[path] });
}

/** The mapping, which must compile without a single finding. */
export function compiled(text: string, folder?: Folder): CompiledMapping {
  const { mapping, findings } = compile(text, folder);
  expect(findings.map(formatFinding)).toEqual([]);
  if (!mapping) throw new Error('no mapping, and nothing said why');
  return mapping;
}

export function plan(text: string, call: Call = someCall(), folder?: Folder): Plan {
  return compiled(text, folder).plan(call, 'calls');
}

/** What a person's field `x` becomes; undefined when it is left out. */
export function written(form: string, call?: Call): Value | undefined {
  return plan(`person: { fields: { x: ${form} } }`, call).person?.fields.find(({ name }) => name === 'x')?.value;
}

/** Why the person's field `x` is left out. */
export function reasonOf(form: string, call?: Call): string | undefined {
  return plan(`person: { fields: { x: ${form} } }`, call).left_out.find(({ field }) => field === 'person.x')?.reason;
}

/** Values of a record by property. */
export function fieldsOf(planned: Plan, record: string): Record<string, Value> {
  const found = record === 'person' ? planned.person : planned.records.find(({ name }) => name === record);
  return Object.fromEntries((found?.fields ?? []).map(({ name, value }) => [name, value]));
}

/** The place in a text that is marked with `»`, and the text without the mark. */
export function unmark(marked: string): { text: string; line: number; column: number } {
  const at = marked.indexOf('»');
  if (at < 0) throw new Error('no » in the text');
  const before = marked.slice(0, at).split('\n');
  return { text: marked.replace('»', ''), line: before.length, column: (before.at(-1) as string).length + 1 };
}
