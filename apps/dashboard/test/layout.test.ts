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

test('pages leave what is searched for, and what callers said, as it is', () => {
  vi.stubEnv('WRAPUP_COMMAND', 'npm run wrapup --');
  const body = html`<p>wrapup call with Ann</p><input name="reason" value="${'> see wrapup check'}"><a href="/parked?reason=wrapup check">x</a>`;
  const page = renderPage({ title: 'A', body });
  vi.unstubAllEnvs();
  expect(page).toContain('<p>wrapup call with Ann</p>');
  expect(page).toContain('value="&gt; see wrapup check"');
  expect(page).toContain('href="/parked?reason=wrapup check"');
});
