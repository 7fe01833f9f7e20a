/** Pages lead to what exists: files and headings that they link to, npm scripts and commands that they name. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { makeProgram } from '../apps/cli/src/program.ts';
import { DEFAULT_OPTIONS } from '../apps/ingress/src/options.ts';
import { anchorOf } from '../docs/.vitepress/pages.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'packages/*.md', 'bench/*.md'], { cwd: ROOT }).sort();
const read = (page: string) => readFileSync(resolve(ROOT, page), 'utf8');
/** Without code, in which a bracket is no link. */
const prose = (text: string) => text.replace(/^( *)```[\s\S]*?^\1```/gm, '').replace(/`[^`\n]*`/g, '');

/** The anchors of a page: what it names itself, and its headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
  for (const [, heading = ''] of text.replace(/^( *)```[\s\S]*?^\1```/gm, '').matchAll(/^#+ +(.+)$/gm)) {
    const anchor = anchorOf(heading);
    for (let copy = 0; ; copy += 1) {
      const name = copy === 0 ? anchor : `${anchor}-${copy}`;
      if (anchors.has(name)) continue;
      anchors.add(name);
      break;
    }
  }
  return anchors;
}

it.each(PAGES)('the links of %s lead somewhere', (page) => {
  const text = read(page);
  const dead = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const file = path ? resolve(ROOT, dirname(page), path) : resolve(ROOT, page);
    if (!existsSync(file)) return [link];
    if (anchor === undefined || statSync(file).isDirectory()) return [];
    return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? [] : [link];
  });
  expect(dead).toEqual([]);
});

it.each(PAGES)('%s names npm scripts that there are', (page) => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = [...read(page).matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

/** What of a command line the program does not know; undefined when it knows all of it. */
function unknownIn(line: string): string | undefined {
  let command = makeProgram();
  const chain = [command];
  for (const word of line.trim().split(/\s+/)) {
    if (word.startsWith('--') && word.length > 2) {
      const known = chain.some(({ options }) => options.some(({ long }) => long === word.split('=')[0]));
      if (!known && word !== '--help') return word;
    } else if (/^[a-z][a-z-]*$/.test(word) && command.commands.length > 0) {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (!next) return word;
      chain.push(next);
      command = next;
    }
  }
  return chain.length > 1 || line.trim().startsWith('--') ? undefined : line;
}

it('a command line with an unknown command or option is found', () => {
  expect(unknownIn('calls list --json')).toBeUndefined();
  expect(unknownIn('calls shwo x')).toBe('shwo');
  expect(unknownIn('forget --pla x')).toBe('--pla');
  expect(unknownIn('forgt x')).toBe('forgt');
});

it.each(PAGES)('%s names commands that there are', (page) => {
  const lines = [...read(page).matchAll(/npm run wrapup -- ([a-z-][^`\n#…;|<]*)/g)].map(([, line = '']) => line);
  expect(lines.flatMap((line) => unknownIn(line) ?? [])).toEqual([]);
});

it.each(['docs/guide/hardening.md', 'docs/guide/going-live.md', 'SECURITY.md', 'docs/data-protection.md'])(
  '%s names variables that .env.example explains',
  (page) => {
    const example = read('.env.example');
    const named = [...read(page).matchAll(/`((?:DASHBOARD|INGRESS|WORKER|REDIS|WRAPUP|METRICS)_[A-Z_]+)[=`]/g)];
    expect(named.map(([, name = '']) => name).filter((name) => !example.includes(name))).toEqual([]);
  },
);

it('the proxies of the hardening guide take as much as ingress does, and no less', () => {
  const guide = read('docs/guide/hardening.md');
  const megabytes = DEFAULT_OPTIONS.maxBody / 1024 ** 2;
  expect(guide).toContain(`client_max_body_size ${megabytes}m;`);
  expect(guide).toContain(`max_size ${megabytes}MB`);
});
