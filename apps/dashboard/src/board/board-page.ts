import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { escapeHtml } from '@wrapup/telemetry';

const UI = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));

/** Bull Board hides its links in a menu, and its own name leads to itself. */
const WAY_BACK =
  '<nav class="wrapup-back" aria-label="Wrapup"><a href="/">← Overview</a> <a href="/calls">Calls</a> <a href="/parked">Parked</a> <a href="/dead">Dead</a></nav>';

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
 */
export function renderBoardPage({ basePath, title, config }: BoardPage): string {
  const values: Record<string, string> = {
    basePath: escapeHtml(basePath),
    title: escapeHtml(title),
    favIconDefault: 'static/images/logo.svg',
    favIconAlternative: 'static/favicon-32x32.png',
    // A data block: no HTML is parsed in it, but "</script" would end it.
    uiConfig: JSON.stringify(config).replace(/</g, '\\u003c'),
  };
  const page = readFileSync(join(UI, 'dist/index.ejs'), 'utf8')
    .replace(/<link[^>]+href="https?:[^>]*>/g, '')
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/ style="[^"]*"/g, '')
    .replace('</head>', '<link rel="stylesheet" href="/assets/board.css" /></head>')
    .replace(/<body[^>]*>/, (body) => body + WAY_BACK)
    .replace(/<%[-=]\s*(\w+)\s*%>/g, (whole, name: string) => values[name] ?? whole);
  if (!page.includes(WAY_BACK)) throw new Error('the page of @bull-board/ui has changed: it has no <body>');
  if (page.includes('<%'))
    throw new Error('the page of @bull-board/ui has changed: it holds a placeholder we do not know');
  return page;
}
