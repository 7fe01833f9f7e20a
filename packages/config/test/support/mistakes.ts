/** Files of wrapup.yaml with one mistake each, and what the finding about it must say. */
import { loadConfig } from '@wrapup/config';
import { formatFinding } from '@wrapup/findings';
import { expect } from 'vitest';
import { configFolder, ENV, MAPPING, unmark } from './folder.ts';

export const SOURCES = 'sources: { main: { webhook_secrets: ["${SYNTHFLOW_WEBHOOK_SECRET}"] } }\n';
export const CONNECTIONS = 'connections: { sales: { kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}" } }\n';
export const ROUTES = 'routes: [ { name: calls, to: sales, mapping: mappings/hubspot.yaml } ]\n';
export const REST = CONNECTIONS + ROUTES;
export const source = (line: string) =>
  `sources:\n  main:\n    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]\n    ${line}\n${REST}`;
export const route = (...lines: string[]) =>
  `${SOURCES}${CONNECTIONS}routes:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
export const inbound = (line: string) => `${SOURCES}${REST}inbound:\n  look_up: sales\n  guard: none\n  ${line}\n`;
export const PLAIN = '{ name: calls, to: sales, mapping: mappings/hubspot.yaml }';

/** What is wrong, the file with the place marked by », and what the finding must say. */
export type Mistake = [string, string, ExpectedFinding];

interface ExpectedFinding {
  code: string;
  says: RegExp;
  hint?: RegExp;
  severity?: 'warning';
}

const FOUND = { ...ENV, EMPTY: '', MOUNTED_FILE: '/nowhere/secret', SHIPPED: 'demo-webhook-secret' };

/** Loads the marked file and expects exactly that finding at the mark. */
export async function expectFinding(marked: string, wanted: ExpectedFinding): Promise<void> {
  const { text, line, column } = unmark(marked);
  const file = configFolder({
    'wrapup.yaml': text,
    'mappings/hubspot.yaml': MAPPING,
    'mappings/http.yaml': 'extends: http/event\n',
  });
  const { config, findings } = await loadConfig({ file, env: FOUND });

  const found = findings.find(({ code }) => code === wanted.code);
  expect(found, findings.map(formatFinding).join('\n')).toBeDefined();
  expect(found?.message).toMatch(wanted.says);
  if (wanted.hint) expect(found?.hint).toMatch(wanted.hint);
  expect(found?.severity).toBe(wanted.severity ?? 'error');
  expect(found?.at).toEqual({ file, line, column });
  // An error keeps the configuration out, a warning does not; and one mistake gives one error.
  const errors = findings.filter(({ severity }) => severity === 'error');
  expect(errors.map(formatFinding)).toHaveLength(wanted.severity === 'warning' ? 0 : 1);
  expect(config === undefined).toBe(wanted.severity !== 'warning');
}
