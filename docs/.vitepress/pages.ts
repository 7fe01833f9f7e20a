/** The pages of the documentation site: Markdown files of the repository, where each is served, and in which order they are listed. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Files outside docs/ that the pages link to as documents. */
const OUTSIDE = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/*.md',
  'deploy/**/*.md',
  'examples/**/*.md',
  'packages/*.md',
];

/** Paths from the root of the repository, with `/`. README.md is left out: docs/index.md opens the site. */
export const PAGES = globSync(['docs/**/*.md', ...OUTSIDE], { cwd: ROOT })
  .map((path) => path.replaceAll('\\', '/'))
  .sort();

/** Markdown files of the repository that are no pages, as VitePress takes each that it finds for one. */
export function otherThanPages(): string[] {
  const all = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules', 'dist'] });
  return [...all.filter((path) => !PAGES.includes(path.replaceAll('\\', '/'))), '.*/**'];
}

/** `docs/guide/http.md` is served as `guide/http.md`, `docs/recipes/README.md` as `recipes/index.md`, `SECURITY.md` as `project/SECURITY.md`. */
export function servedAs(page: string): string {
  const path = page.includes('/') ? page.replace(/^docs\//, '') : `project/${page}`;
  return path.replace(/(^|\/)README\.md$/, '$1index.md');
}

interface Item {
  text: string;
  link: string;
}

interface Section {
  text: string;
  collapsed: boolean;
  items: Item[];
}

/** Sections of the sidebar. A pattern stands for the pages that match it and stand nowhere else, by name. */
const SECTIONS: [name: string, ...pages: string[]][] = [
  ['Begin', 'guide/ten-minutes', 'guide/what-happens-to-a-call', 'guide/going-live', 'guide/command-line'],
  ['Mappings', 'guide/configuration', 'guide/testing-mappings', 'recipes/README', 'reference/mapping-language'],
  [
    'CRMs and endpoints',
    'guide/hubspot',
    'guide/salesforce',
    'guide/http',
    'guide/inbound-calls',
    'guide/missing-webhooks',
  ],
  [
    'Operating',
    'guide/operating',
    'guide/digests',
    'guide/api',
    'guide/agencies',
    'guide/scale',
    'guide/hardening',
    'guide/backup',
    'upgrading',
    'data-protection',
    'guide/*',
    'deploy/**/*',
  ],
  ['Runbooks', 'runbooks/README', 'runbooks/*'],
  ['Reference', 'reference/configuration', 'reference/*', 'examples/**/*'],
  ['Presets', 'reference/presets/README', 'reference/presets/*'],
  ['What is promised', 'promises', 'reliability', 'model/README', 'security', 'bench/RESULTS', 'bench/*'],
  [
    'Changing Wrapup',
    'CONTRIBUTING',
    'architecture',
    'glossary',
    'guide/new-destination',
    'packages/README',
    'CHANGELOG',
    'SECURITY',
  ],
  ['Decisions', 'decisions/README', 'decisions/*'],
];
const OPEN = new Set(['Begin', 'Mappings', 'CRMs and endpoints', 'Operating']);

/** @throws Error for an entry of SECTIONS that matches no page, and for a page that no section lists */
export function sidebar(): Section[] {
  const left = new Set(PAGES.filter((page) => page !== 'docs/index.md'));
  const named = new Set(
    SECTIONS.flatMap(([, ...entries]) => entries.filter((entry) => !entry.includes('*')).map(find)),
  );
  const sections = SECTIONS.map(([text, ...entries]) => ({
    text,
    collapsed: !OPEN.has(text),
    items: entries.flatMap((entry) => {
      const pages = entry.includes('*')
        ? match(entry).filter((page) => left.has(page) && !named.has(page))
        : [find(entry)];
      for (const page of pages) left.delete(page);
      return pages.map((page) => ({ text: titleOf(page), link: `/${servedAs(page)}` }));
    }),
  }));
  if (left.size > 0)
    throw new Error(
      `${[...left].join(', ')}: no section of the sidebar lists it. Add it to SECTIONS in docs/.vitepress/pages.ts.`,
    );
  return sections;
}

function find(entry: string): string {
  const page = [`docs/${entry}.md`, `${entry}.md`].find((path) => PAGES.includes(path));
  if (!page) throw new Error(`"${entry}" in SECTIONS of docs/.vitepress/pages.ts is no page.`);
  return page;
}

function match(pattern: string): string[] {
  const found = globSync([`docs/${pattern}.md`, `${pattern}.md`], { cwd: ROOT }).sort();
  return found.filter((page) => PAGES.includes(page));
}

/** The first heading of a page. */
function titleOf(page: string): string {
  const [, title] = /^# +(.+)$/m.exec(readFileSync(join(ROOT, page), 'utf8')) ?? [];
  if (!title) throw new Error(`${page} has no heading of the first level.`);
  return title.replaceAll('`', '');
}

/** The anchor of a heading, as GitHub makes it, so that one link works on both. */
export function anchorOf(heading: string): string {
  const plain = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase();
  return plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
}
