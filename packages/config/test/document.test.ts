import { loadConfig } from '@wrapup/config';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDocument } from '../src/file/document.ts';
import { replaceVariables } from '../src/file/variables.ts';
import { configFolder, ENV, MAPPING } from './support/folder.ts';
import { CONNECTIONS, expectFinding, type Mistake, REST, SOURCES, source } from './support/mistakes.ts';

const MISTAKES: Mistake[] = [
  ['a key is given twice', source('region: us\n    »region: eu'), { code: 'duplicate-key', says: /already given/ }],
  ['a tab indents', `sources:\n»\tmain: {}\n${REST}`, { code: 'yaml', says: /[Tt]ab/, hint: /spaces/ }],
  [
    'a bracket never closes',
    `${SOURCES}${CONNECTIONS}routes: [ { name: calls }\n»`,
    { code: 'yaml', says: /./, hint: /close/ },
  ],
  [
    'a key is a prototype name',
    source('agents: { »__proto__: { name: x } }'),
    { code: 'bad-key', says: /"__proto__" cannot be a key/ },
  ],
  [
    'a variable is not set',
    source('api_key: »"${NO_SUCH_KEY}"'),
    { code: 'unset-variable', says: /NO_SUCH_KEY is not set/, hint: /NO_SUCH_KEY_FILE/ },
  ],
  ['a placeholder never closes', source('api_key: »"${API_KEY"'), { code: 'bad-placeholder', says: /never closes/ }],
  ['a placeholder is no name', source('api_key: »"${1st}"'), { code: 'bad-placeholder', says: /no variable/ }],
  [
    'a mounted secret is not there',
    source('api_key: »"${MOUNTED}"'),
    { code: 'unreadable-variable', says: /MOUNTED_FILE names .* cannot be read \(ENOENT\)/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));

test('a value that came from a variable is never repeated', async () => {
  const file = configFolder({
    'wrapup.yaml': `sources: { main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], region: "\${HUBSPOT_ACCESS_TOKEN}" } }\n${REST}`,
    'mappings/hubspot.yaml': MAPPING,
  });
  const { findings } = await loadConfig({ file, env: ENV });
  expect(findings).toHaveLength(1);
  expect(JSON.stringify(findings)).not.toContain('pat-na1');
});

test('aliases that multiply are refused with a place, quickly', async () => {
  const levels = Array.from(
    { length: 9 },
    (_, i) =>
      `${'abcdefghi'[i]}: &${'abcdefghi'[i]} [${Array(10)
        .fill(i ? `*${'abcdefghi'[i - 1]}` : 'x')
        .join(', ')}]`,
  );
  const file = configFolder({ 'wrapup.yaml': `${levels.join('\n')}\n` });
  const { config, findings } = await loadConfig({ file, env: ENV });
  expect(config).toBeUndefined();
  expect(findings.find(({ code }) => code === 'too-large')).toMatchObject({
    at: { file },
    hint: expect.stringContaining('aliases'),
  });
});

test('ten megabytes are refused without being parsed', async () => {
  const file = configFolder({ 'wrapup.yaml': `# ${'x'.repeat(10_000_000)}\n` });
  const { findings } = await loadConfig({ file, env: ENV });
  expect(findings).toMatchObject([{ code: 'too-large' }]);
});

test.each([100, 100_000])('nesting %i levels deep is refused with a place', async (levels) => {
  const text = `sources: ${'['.repeat(levels)}${']'.repeat(levels)}\n`;
  const { findings } = await loadConfig({ file: configFolder({ 'wrapup.yaml': text }), env: ENV });
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'too-deep', at: expect.objectContaining({ line: 1 }) }),
  );
});

test('no text makes the replacement of variables throw, and what has no $ stays', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { text: replaced } = replaceVariables(text, {});
      if (!text.includes('$')) expect(replaced).toBe(text);
    }),
  );
});

test('no text makes the reading of YAML throw', () => {
  const pieces = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x',
    '*x',
    '"',
    "'",
    '\t',
    '#',
    '|',
    '${A',
    '}',
    '__proto__: 1',
    '? ',
    '!!x',
    '%',
    '<<: *x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const { value, report } = readDocument(parts.join(''), 'x.yaml', {});
      expect(value !== undefined || report.findings.length > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
