import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listHttpProblems } from '../src/http/http-problem.ts';

it('the reference names every refusal, as it is answered', () => {
  const page = readFileSync(new URL('../../../docs/reference/http-answers.md', import.meta.url), 'utf8');
  for (const { status, code, title, hint } of listHttpProblems()) {
    // Unescaped, Markdown takes `<source>` for a tag and shows nothing.
    expect(page).toContain(`| ${status} | \`${code}\` | ${title} | ${(hint ?? '').replaceAll('<', '\\<')} |`);
  }
  expect(page.match(/^\| \d{3} \| `[a-z]/gm)).toHaveLength(listHttpProblems().length);
});
