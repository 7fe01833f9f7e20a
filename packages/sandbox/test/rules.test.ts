/** Where the sandbox's rules come from: every code that it answers stands in a rule, and guesses are few. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeRules, SANDBOX_RULES } from '../src/rules/page.ts';

const SOURCE = join(import.meta.dirname, '../src');

// `npx vitest run packages/sandbox/test/rules.test.ts -u` writes it anew.
test('the page in docs is the rules', async () => {
  await expect(describeRules()).toMatchFileSnapshot('../../../docs/reference/sandbox-rules.md');
});

/** Codes that the source of a vendor's part answers. */
function codesIn(folder: string): string[] {
  const files = readdirSync(join(SOURCE, folder), { recursive: true, encoding: 'utf8' });
  const text = files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(SOURCE, folder, name), 'utf8'));
  const patterns = [
    /(?:code|category|subCategory|errorType|policyName|errorCode): '([A-Za-z]+\.[A-Z_]+|crm\.[a-z]+\.[A-Z_]+|[A-Z][A-Z_]{3,})'/g,
    /(?:SalesforceRefusal|super|errorBody|hubspotError)\(\s*(?:'[^']*', )?'([A-Z][A-Z_]{3,})'/g,
  ];
  return [
    ...new Set(patterns.flatMap((pattern) => [...text.join('\n').matchAll(pattern)].map(([, code = '']) => code))),
  ];
}

/** Words of links, which are no refusals, and what a deployment says in XML. */
const NO_REFUSALS = ['HUBSPOT_DEFINED', 'USER_DEFINED'];

test.each([
  ['hubspot', 'HubSpot', 25],
  ['salesforce', 'Salesforce', 35],
] as const)('every code that %s answers stands in a rule', (folder, vendor, least) => {
  const known = new Set(SANDBOX_RULES.filter((rule) => rule.vendor === vendor).flatMap(({ codes }) => codes));
  const codes = codesIn(folder).filter((code) => !NO_REFUSALS.includes(code));
  expect(codes.length).toBeGreaterThan(least);
  expect(codes.filter((code) => !known.has(code))).toEqual([]);
});

test('at most one rule in ten is guessed', () => {
  const guesses = SANDBOX_RULES.filter(({ source }) => 'guessed' in source);
  expect(guesses.length).toBeGreaterThan(0);
  expect(guesses.length * 10).toBeLessThanOrEqual(SANDBOX_RULES.length);
});
