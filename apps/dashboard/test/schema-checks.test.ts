import { html } from '@wrapup/telemetry';
import { expect, test } from 'vitest';
import { renderSchemaChecks } from '../src/pages/banners/schema-checks.ts';

const at = Date.parse('2026-11-20T18:00:00Z');
const FINDING = {
  severity: 'error',
  code: 'missing-property',
  message: 'HubSpot’s contacts have no property <b>budgte</b>.',
  hint: 'Did you mean budget?',
  at: { file: 'mappings/hubspot.yaml', line: 12, column: 5 },
} as const;

test('what does not fit is shown with mapping line and what to do, as text', () => {
  const page = String(html`${renderSchemaChecks([{ connection: 'sales', at, findings: [FINDING] }])}`);
  expect(page).toContain('mappings/hubspot.yaml:12');
  expect(page).toContain('Did you mean budget?');
  expect(page).toContain('1 error');
  expect(page).toContain('&lt;b&gt;budgte&lt;/b&gt;');
});

test('nothing is shown while everything fits, and an account that could not be asked says why', () => {
  expect(renderSchemaChecks([{ connection: 'sales', at, findings: [] }])).toBe('');
  const failed = { code: 'unauthorized', message: 'The token was refused.', hint: 'Put a new one into .env.' };
  const page = String(html`${renderSchemaChecks([{ connection: 'sales', at, findings: [], failed }])}`);
  expect(page).toContain('could not be asked');
  expect(page).toContain('Put a new one into .env.');
});
