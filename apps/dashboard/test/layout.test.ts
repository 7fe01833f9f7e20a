import { html } from '@wrapup/telemetry';
import { expect, test, vi } from 'vitest';
import { renderPage } from '../src/pages/layout.ts';

test('pages name commands as they are called here, and leave what an operator has pasted', () => {
  vi.stubEnv('WRAPUP_COMMAND', 'docker compose run --rm "cli"');
  const hint = 'Run `wrapup provision`, or look into wrapup.yaml.';
  const page = renderPage({ title: 'A', body: html`<p>${hint}</p><textarea>Run \`wrapup provision\`</textarea>` });
  vi.unstubAllEnvs();
  expect(page).toContain('Run `docker compose run --rm &quot;cli&quot; provision`, or look into wrapup.yaml.');
  expect(page).toContain('<textarea>Run `wrapup provision`</textarea>');
});
