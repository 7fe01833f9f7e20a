/** The documentation site. `npm run site` builds it into dist/site, without a network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type MarkdownRenderer } from 'vitepress';
import { copyLinkedFiles, resolveLinks } from './links.ts';
import { anchorOf, otherThanPages, PAGES, ROOT, servedAs, sidebar } from './pages.ts';

/** The path under which the site is served, such as `/wrapup/` on pages of a repository. */
const base = process.env.SITE_BASE || '/';
const svg = readFileSync(join(ROOT, 'packages/telemetry/src/look/icon.svg'), 'utf8').trim();
const icon = `data:image/svg+xml,${encodeURIComponent(svg)}`;

/** `{{ lead.name }}` in code is a text of the mapping language, not an expression of Vue. */
function showCodeAsItIs(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('code-as-it-is', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? []))
      if (token.type === 'code_inline') token.attrSet('v-pre', '');
  });
}

export default defineConfig({
  lang: 'en',
  title: 'Wrapup',
  description: 'The after-call work of voice agents: Synthflow calls onto HubSpot and Salesforce, each once.',
  base,
  srcDir: ROOT,
  srcExclude: otherThanPages(),
  rewrites: Object.fromEntries(PAGES.map((page) => [page, servedAs(page)])),
  outDir: join(ROOT, 'dist/site'),
  cacheDir: join(ROOT, 'node_modules/.cache/vitepress'),
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: icon }]],
  markdown: {
    anchor: { slugify: anchorOf },
    // `{ value: … }` at the end of a cell is an example, not a list of attributes.
    attrs: { disable: true },
    languageAlias: { caddyfile: 'nginx' },
    config: (markdown) => {
      resolveLinks(markdown);
      showCodeAsItIs(markdown);
    },
  },
  themeConfig: {
    logo: icon,
    nav: [
      { text: 'Ten minutes', link: '/guide/ten-minutes' },
      { text: 'Recipes', link: '/recipes/' },
      { text: 'Mapping language', link: '/reference/mapping-language' },
      { text: 'Operating', link: '/guide/operating' },
      { text: 'Promises', link: '/promises' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
  },
  buildEnd: ({ outDir }) => copyLinkedFiles(outDir),
});
