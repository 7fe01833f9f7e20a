/** docs/recipes/README.md: every recipe, its mapping, and what its tests make of calls. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ProducedRecord, runFixtures } from '@wrapup/fixtures';
import { code, GENERATED, table } from './markdown.ts';

const RECIPES = resolve(import.meta.dirname, '../../../../docs/recipes');
const PICTURES = join(RECIPES, 'pictures');

/** Characters of a value that are shown. */
const WIDTH = 90;

export function recipesPage(): string {
  const names = readdirSync(RECIPES)
    .filter((name) => name.endsWith('.test.yaml'))
    .map((name) => name.slice(0, -'.test.yaml'.length))
    .sort();
  const recipes = names.map((name) => ({ name, text: readFileSync(join(RECIPES, `${name}.yaml`), 'utf8') }));
  return `${[
    '# Recipes',
    GENERATED,
    `${recipes.length} tasks that come up, each a mapping to copy and a test that runs: \`npm run wrapup -- test docs/recipes\`. Put the mapping into \`config/mappings/\`, name it in a route, change the names of properties to yours, and try it with \`wrapup plan\`.`,
    table(
      ['recipe', 'for', 'writes'],
      recipes.map(({ name, text }) => [`[${titleOf(text)}](#${name})`, ...landsIn(name, text)]),
    ),
    ...recipes.flatMap(({ name, text }) => section(name, text)),
  ].join('\n\n')}\n`;
}

/** The CRM, and the records that its tests write there. */
function landsIn(name: string, text: string): [string, string] {
  const { tests } = runFixtures(join(RECIPES, `${name}.test.yaml`));
  const objects = tests.flatMap(({ produced }) => (produced?.records ?? []).map(({ object }) => object));
  const kind = /schema\/mapping-(\w+)\.schema/.exec(text)?.[1] ?? '';
  return [NAMES[kind] ?? kind, [...new Set(objects)].join(', ')];
}

const NAMES: Record<string, string> = { hubspot: 'HubSpot', salesforce: 'Salesforce', http: 'any endpoint' };

/** The first line of comment that is for people. */
function titleOf(text: string): string {
  return (text.split('\n').find((line) => line.startsWith('# ') && !line.includes('yaml-language-server')) ?? '').slice(
    2,
  );
}

function section(name: string, text: string): string[] {
  const { tests } = runFixtures(join(RECIPES, `${name}.test.yaml`));
  const yaml = text
    .split('\n')
    .filter((line) => !line.includes('yaml-language-server') && line !== `# ${titleOf(text)}`)
    .join('\n')
    .trim();
  const outcomes = tests.map((test) => {
    const records = (test.produced?.records ?? []).flatMap(showRecord);
    const result = test.produced?.result ?? 'unknown';
    return [`${test.name}: ${result}`, ...records.map((line) => `  ${line}`)].join('\n');
  });
  return [
    `<a id="${name}"></a>`,
    `## ${titleOf(text)}`,
    ...(existsSync(join(PICTURES, `${name}.png`))
      ? [`![The sandbox's page after the first of its tests](pictures/${name}.png)`]
      : []),
    `${code(`${name}.yaml`)}, tested by ${code(`${name}.test.yaml`)}`,
    `\`\`\`yaml\n${yaml}\n\`\`\``,
    `What comes out, field by field (those of the preset left out):`,
    `\`\`\`\n${outcomes.join('\n')}\n\`\`\``,
  ];
}

function showRecord({ name, object, fields, associate }: ProducedRecord): string[] {
  const own = fields.filter(({ at, why }) => !at.file.startsWith('preset ') && why === undefined);
  const links = associate.length > 0 ? ` -> ${associate.join(', ')}` : '';
  return [
    `${name} (${object})${links}`,
    ...own.map(({ name: field, value }) => `  ${field}: ${shorten(JSON.stringify(value))}`),
  ];
}

function shorten(text: string): string {
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
