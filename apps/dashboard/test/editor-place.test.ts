/** Where the cursor is in a mapping that is being typed. `|` is the cursor. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

interface Place {
  path: (string | number)[];
  kind: string;
  siblings: ReadonlySet<string>;
}

let placeAt: (text: string, cursor: number) => Place | undefined;
let pathAt: (text: string, at: number) => { path: (string | number)[] } | undefined;
beforeAll(async () => {
  // It has types of its own: browsers’ instead of Node’s.
  ({ placeAt, pathAt } = await import(join(import.meta.dirname, '../browser/place.ts')));
});

const at = (marked: string) => placeAt(marked.replace('|', ''), marked.indexOf('|'));

describe('the cursor', () => {
  it.each([
    ['|', [], 'either'],
    ['ext|', [], 'either'],
    ['extends: hub|', ['extends'], 'value'],
    ['extends: |', ['extends'], 'value'],
    ['person:\n  |', ['person'], 'either'],
    ['person:\n  unmatched: create\n  ma|', ['person'], 'either'],
    ['person:\n  ma|\n  unmatched: create\n', ['person'], 'either'],
    ['person:\n  ma|: x\n', ['person'], 'key'],
    ['person:\n  fields:\n    city: lead.|', ['person', 'fields', 'city'], 'value'],
    ['person:\n  fields:\n    city: { fr| }', ['person', 'fields', 'city'], 'key'],
    ['person:\n  fields:\n    city: { from: lead.name, wri|', ['person', 'fields', 'city'], 'key'],
    ['person:\n  fields:\n    city: { from: le| }', ['person', 'fields', 'city', 'from'], 'value'],
    ['person:\n  match: [ph|, email]', ['person', 'match', 0], 'value'],
    ['person:\n  match: [phone, em|]', ['person', 'match', 1], 'value'],
    ['tasks:\n  - na|', ['tasks', 0], 'either'],
    ['tasks:\n  - name: a\n    sub|', ['tasks', 0], 'either'],
    ['tasks:\n  - name: a\n  - na|', ['tasks', 1], 'either'],
    ['tasks:\n- name: a\n- name: b\n  when: { path: ca|', ['tasks', 1, 'when', 'path'], 'value'],
    ['person:\n  fields:\n    "odd name": le|', ['person', 'fields', 'odd name'], 'value'],
    ['call_log:\n  title: "Call {{ le| }}"', ['call_log', 'title'], 'text'],
  ])('%j', (marked, path, kind) => {
    expect(at(marked)).toMatchObject({ path, kind });
  });

  it('is nowhere in a comment', () => {
    expect(at('# exten|')).toBeUndefined();
    expect(at('extends: hubspot/call-log # the pre|')).toBeUndefined();
  });

  it('knows the keys that are there', () => {
    expect([...(at('person:\n  unmatched: create\n  |\n  said: ignore\n')?.siblings ?? [])]).toEqual([
      'unmatched',
      'said',
    ]);
    expect([...(at('x: { a: 1, | }')?.siblings ?? [])]).toEqual(['a']);
  });

  it('is in what it rests on', () => {
    const text = 'person:\n  fields:\n    city: { from: lead.name }\n';
    expect(pathAt(text, text.indexOf('from') + 1)?.path).toEqual(['person', 'fields', 'city', 'from']);
    expect(pathAt(text, text.indexOf('lead') + 1)?.path).toEqual(['person', 'fields', 'city', 'from']);
    expect(pathAt(text, text.indexOf('person') + 1)?.path).toEqual(['person']);
    expect(pathAt(text, text.indexOf('{'))).toBeUndefined();
  });
});
