import { formatFinding } from '@wrapup/findings';
import { expect, test } from 'vitest';
import { compile } from './support/compile.ts';

/** Files that would take a careless reader down; each must end in an error with a place, soon. */
const HOSTILE: [string, string, RegExp][] = [
  ['10 MB', `person:\n  id: "${'x'.repeat(10_000_000)}"\n`, /too-large/],
  ['10 MB of keys', 'a: 1\n'.repeat(2_000_000), /too-large/],
  ['many values', `call_log:\n  title: [${'a,'.repeat(100_000)}]\n`, /too-large/],
  ['brackets without end', '['.repeat(200_000), /too-deep|yaml/],
  ['brackets with an end', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`, /too-deep/],
  ['maps in maps', `${'{a: '.repeat(3000)}1${'}'.repeat(3000)}`, /too-deep/],
  [
    'aliases of aliases',
    `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`).join('\n')}\n`,
    /too-large/,
  ],
  ['an alias of itself', 'person: &p { fields: *p }\n', /contains itself|yaml/],
  ['binary', '\u0000\u0001\u0002', /yaml|bad-value/],
  ['a key that is a list', '? [a]\n: b\n', /bad-key/],
  ['placeholders without end', `call_log: { title: "${'{{ '.repeat(50_000)}" }`, /unclosed/],
  ['quotes without end', `call_log: { title: "{{ lead${"['a".repeat(50_000)} }}" }`, /bad-path|unclosed/],
  ['bars without end', `call_log: { title: "{{ lead.name ${'|'.repeat(50_000)} }}" }`, /bad-placeholder/],
  ['dots without end', `call_log: { title: "{{ raw${'.a'.repeat(50_000)} }}" }`, /bad-path/],
  [
    'conditions without end',
    `call_log: { when: ${'{ not: '.repeat(45)}{ path: lead.name, exists: true }${' }'.repeat(45)} }`,
    /too-deep/,
  ],
];

test.each(HOSTILE)('%s', (_what, text, wanted) => {
  const { mapping, findings } = compile(text);
  expect(mapping).toBeUndefined();
  const errors = findings.filter(({ severity }) => severity === 'error');
  expect(errors.map((finding) => formatFinding(finding)).join('\n')).toMatch(wanted);
  for (const { at } of errors) expect(at).toMatchObject({ file: 'mappings/acme.yaml', line: expect.any(Number) });
  // Messages are for people: none repeats a file's worth of text.
  for (const finding of findings) expect(formatFinding(finding).length).toBeLessThan(2000);
});
