/** What the editor knows of the mapping language, by the schemas that are generated. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeAt, keysAt, partsAt, type SchemaPart, valuesAt } from '../browser/schema.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (kind: string): SchemaPart =>
  JSON.parse(readFileSync(`${ROOT}/schema/mapping-${kind}.schema.json`, 'utf8'));
const hubspot = read('hubspot');

const namesOf = (all: { text: string }[]) => all.map(({ text }) => text);

describe('keys', () => {
  it.each([
    ['the top', [], ['extends', 'person', 'call_log', 'tasks', 'define']],
    ['a section', ['person'], ['match', 'unmatched', 'fields', 'owner']],
    ['a section behind alternatives', ['person', 'unmatched'], ['connected', 'voicemail', 'default']],
    ['an item of a list', ['tasks', 0], ['name', 'when', 'subject', 'due_in']],
    ['a value, whatever its field is called', ['person', 'fields', 'anything'], ['from', 'map', 'write', 'transform']],
    ['a condition in a condition', ['tasks', 0, 'when', 'any', 1], ['path', 'equals', 'all', 'not']],
  ] as const)('of %s', (_what, path, some) => {
    expect(namesOf(keysAt(hubspot, path))).toEqual(expect.arrayContaining([...some]));
  });

  it('of nothing where nothing may stand', () => {
    expect(keysAt(hubspot, ['extends'])).toEqual([]);
    expect(keysAt(hubspot, ['nothing', 'of', 'the', 'kind'])).toEqual([]);
    expect(keysAt(hubspot, ['__proto__'])).toEqual([]);
    expect(partsAt(hubspot, ['constructor'])).toEqual([]);
  });
});

describe('values', () => {
  it.each([
    ['a choice', ['person', 'ambiguous'], ['park', 'most_recent', 'oldest']],
    ['a choice in a list', ['person', 'match', 1], ['id', 'email', 'phone']],
    ['a preset', ['extends'], ['hubspot/call-log', 'hubspot/lead-qualification']],
    ['a path', ['person', 'fields', 'city'], ['lead.phone', 'call.outcome', 'booking.starts_at']],
    ['a transform', ['person', 'fields', 'city', 'transform', 0], ['trim', 'lower', 'number']],
    ['how a field is written', ['person', 'fields', 'city', 'write'], ['if_empty', 'overwrite', 'forward']],
  ] as const)('of %s', (_what, path, some) => {
    expect(namesOf(valuesAt(hubspot, path))).toEqual(expect.arrayContaining([...some]));
  });
});

it.each(['hubspot', 'salesforce', 'http'])('says what each key at the top of a mapping for %s means', (kind) => {
  const schema = read(kind);
  for (const { text, description } of keysAt(schema, [])) {
    expect([text, description]).toEqual([text, expect.any(String)]);
    expect(describeAt(schema, [text])).toBe(description);
  }
  expect(describeAt(schema, ['nothing'])).toBeUndefined();
});
