/** The schemas against files: all of ours pass, mistakes do not, and what editors complete is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KINDS } from '@wrapup/config';
import { Report, readYaml, toPlain } from '@wrapup/findings';
import { findFixtures } from '@wrapup/fixtures';
import { type JsonSchema, mappingEditorSchema } from '@wrapup/mapping';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { generate } from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SCHEMAS = Object.fromEntries(
  Object.entries(await generate())
    .filter(([path]) => path.startsWith('schema/'))
    .map(([path, text]) => [path.slice('schema/'.length, -'.schema.json'.length), JSON.parse(text) as JsonSchema]),
);

function validator(schema: JsonSchema): (text: string) => string[] {
  const check = new Ajv2020({ strict: false, allErrors: true, formats: { uri: true } }).compile(schema);
  return (text) => {
    const node = readYaml(text, 'x.yaml', new Report());
    if (!node) return ['no YAML'];
    // As JSON: a schema knows no maps without a prototype.
    return check(JSON.parse(JSON.stringify(toPlain(node))))
      ? []
      : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

/** YAML files with the schema that their first lines name. */
function filesWithSchema(): [string, string][] {
  const folders = [
    'config',
    'config/mappings',
    'docs/recipes',
    ...Object.keys(KINDS).map((kind) => `packages/${kind}/presets`),
  ];
  return folders.flatMap((folder) =>
    safeList(join(ROOT, folder)).flatMap((name): [string, string][] => {
      const path = join(folder, name);
      const named = /# yaml-language-server: \$schema=\S*\/([\w-]+)\.schema\.json/.exec(
        readFileSync(join(ROOT, path), 'utf8'),
      );
      return [[path, named?.[1] ?? '']];
    }),
  );
}

function safeList(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return [];
  }
}

const VALID = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, validator(schema)]));

test.each(filesWithSchema())('%s names its schema and passes it', (path, name) => {
  expect(Object.keys(SCHEMAS)).toContain(name);
  expect(VALID[name]?.(readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
});

test('fixtures that lie elsewhere pass too', () => {
  const files = findFixtures([join(ROOT, 'packages')]);
  for (const file of files) expect(VALID.test?.(readFileSync(file, 'utf8'))).toEqual([]);
});

test.each([
  ['wrapup', 'sources: { main: { regoin: us } }'],
  ['wrapup', 'sources: { main: { region: asia } }'],
  ['wrapup', 'sources: {}\nroutes: [ { name: a, to: b, mapping: c, when: { pth: call.outcome } } ]'],
  ['wrapup', 'sources: {}\nconnections: { a: { kind: hubspot, token: x } }'],
  ['mapping-hubspot', 'person: { unmached: create }'],
  ['mapping-hubspot', 'person: { unmatched: { conected: create } }'],
  ['mapping-hubspot', 'person: { fields: { a: { from: lead.name, transform: [trimm] } } }'],
  ['mapping-hubspot', 'person: { fields: { a: { from: lead.name, transform: { truncate: much } } } }'],
  ['mapping-hubspot', 'person: { fields: { a: { from: lead.name, write: newer } } }'],
  ['mapping-hubspot', 'tasks: [ { name: Call Back, subject: x } ]'],
  ['mapping-hubspot', 'tasks: [ { name: a, when: { path: call.outcome, equal: busy } } ]'],
  ['mapping-http', 'person: {}'],
  ['test', 'mapping: x.yaml\ntests: [ { name: a, expect: made } ]'],
])('%s finds the mistake in %s', (name, text) => {
  expect(VALID[name]?.(text)).not.toEqual([]);
});

test('variables may stand for anything in wrapup.yaml', () => {
  const text =
    'sources: { main: { region: "${R}", path_token: ["${T:-}"], keep: { raw: "${K}" } } }\nroutes: [ { name: a, to: b, mapping: c, retries: { attempts: "${N}" } } ]';
  expect(VALID.wrapup?.(text)).toEqual([]);
});

test('with an account, its properties and options are completed, and only suggested', () => {
  const schema = mappingEditorSchema(KINDS.hubspot?.dialect as never, {
    contacts: [
      { name: 'hs_lead_status', label: 'Lead status', type: 'enumeration', options: [{ value: 'NEW', label: 'New' }] },
      { name: 'budget', label: 'Budget', type: 'number' },
      { name: 'createdate', read_only: true },
    ],
    tasks: [{ name: 'hs_task_type', options: [{ value: 'CALL' }] }],
  });
  const defs = schema.$defs as Record<string, { properties: Record<string, { description: string }> }>;
  expect(Object.keys(defs.fields_person?.properties ?? {})).toEqual(['hs_lead_status', 'budget']);
  expect(defs.fields_person?.properties.hs_lead_status?.description).toBe(
    'Lead status · enumeration · one of NEW (New)',
  );
  expect(Object.keys(defs.fields_tasks?.properties ?? {})).toEqual(['hs_task_type']);
  const valid = validator(schema);
  expect(
    valid('person: { fields: { hs_lead_status: { value: NEW }, budget: vars.budget, mine: { value: x } } }'),
  ).toEqual([]);
  expect(
    valid('person: { fields: { hs_lead_status: { from: call.outcome, map: { connected: NEW }, default: null } } }'),
  ).toEqual([]);
  expect(valid('person: { fields: { budget: { form: vars.budget } } }')).not.toEqual([]);
});
