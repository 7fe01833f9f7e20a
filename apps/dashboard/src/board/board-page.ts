import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { escapeHtml, type Html } from '@wrapup/telemetry';
import { ASSETS } from '../pages/assets.ts';

const UI = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));

export interface BoardPage {
  /** With a slash at its end. */
  basePath: string;
  title: string;
  /** What the page's script reads. */
  config: object;
}

/**
 * Bull Board's entry page without what our policy forbids: fonts from a foreign server, which would also learn of
 * every visit, and inline styles, which only dress the moment before its script runs.
 * @returns the page under a header of ours
 */
export function readBoardPage({ basePath, title, config }: BoardPage): (header: Html) => string {
  const values: Record<string, string> = {
    basePath: escapeHtml(basePath),
    title: escapeHtml(title),
    favIconDefault: escapeHtml(ASSETS.url('icon.svg')),
    favIconAlternative: 'static/favicon-32x32.png',
    // A data block: no HTML is parsed in it, but "</script" would end it.
    uiConfig: JSON.stringify(config).replace(/</g, '\\u003c'),
  };
  const page = readFileSync(join(UI, 'dist/index.ejs'), 'utf8')
    .replace(/<link[^>]+href="https?:[^>]*>/g, '')
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/ style="[^"]*"/g, '')
    .replace('</head>', `<link rel="stylesheet" href="${ASSETS.url('board.css')}" /></head>`)
    .replace(/<%[-=]\s*(\w+)\s*%>/g, (whole, name: string) => values[name] ?? whole);
  const [before, body, after] = page.split(/(<body[^>]*>)/);
  if (!body || after === undefined) throw new Error('the page of @bull-board/ui has changed: it has no <body>');
  if (page.includes('<%'))
    throw new Error('the page of @bull-board/ui has changed: it holds a placeholder we do not know');
  return (header) => `${before}${body}${header}${after}`;
}
