/**
 * Links between Markdown files are relative, as GitHub reads them. On the site a link to a page leads to where that page is
 * served, and a link to any other file of the repository to a copy of that file, as plain text.
 */
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { PAGES, ROOT, servedAs } from './pages.ts';

const COPIES = 'files';
/** Paths from the root of the repository. */
const linked = new Set<string>();

export function resolveLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
    const page: string = env.realPath ?? env.path;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href && !/^([a-z]+:|#|\/)/.test(href)) token.attrSet('href', served(href, page));
    }
  });
}

/** @throws Error when there is no such file */
function served(href: string, page: string): string {
  const [path = '', anchor] = href.split('#');
  let target = relative(ROOT, resolve(dirname(page), decodeURI(path))).replaceAll('\\', '/');
  if (!existsSync(join(ROOT, target))) throw new Error(`${relative(ROOT, page)}: the link ${href} leads nowhere.`);
  if (statSync(join(ROOT, target)).isDirectory()) target = readmeOf(target);
  if (target === 'README.md') target = 'docs/index.md';
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (PAGES.includes(target)) return `/${servedAs(target)}${hash}`;
  linked.add(target);
  return `/${copyOf(target)}`;
}

/** What stands in a folder is said by its README.md, or by that of a folder around it. */
function readmeOf(folder: string): string {
  const readme = posix.join(folder, 'README.md');
  return PAGES.includes(readme) || folder === '.' ? readme : readmeOf(posix.dirname(folder));
}

/** `.txt`, as servers and browsers show only that as text whatever the language. */
function copyOf(file: string): string {
  return posix.join(COPIES, /\.(svg|png)$/.test(file) ? file : `${file}.txt`);
}

/** Puts the files that pages link to into the site. */
export function copyLinkedFiles(outDir: string): void {
  for (const file of linked) {
    const copy = join(outDir, copyOf(file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(join(ROOT, file), copy);
  }
}
