import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listRefusals } from '../src/refusal.ts';

it('the reference names every refusal, as it is answered', () => {
  const page = readFileSync(new URL('../../../docs/reference/http-answers.md', import.meta.url), 'utf8');
  for (const { status, code, title, hint } of listRefusals()) {
    expect(page).toContain(`| ${status} | \`${code}\` | ${title} | ${hint ?? ''} |`);
  }
  expect(page.match(/^\| \d{3} \| `[a-z]/gm)).toHaveLength(listRefusals().length);
});
