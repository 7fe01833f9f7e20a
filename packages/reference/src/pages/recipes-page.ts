/** docs/recipes/README.md: every recipe, its mapping, and what its tests make of calls. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FileOutcome, type ProducedRecord, runFixtures } from '@wrapup/fixtures';
import { code, GENERATED, table } from './markdown.ts';
import { showRecord } from './show-record.ts';

const RECIPES = resolve(import.meta.dirname, '../../../../docs/recipes');
const PICTURES = join(RECIPES, 'pictures');

/** Characters of a value that are shown. */
const WIDTH = 90;

interface Recipe {
  name: string;
  /** Its mapping. */
  text: string;
  /** What its tests make of calls. */
  ran: FileOutcome;
}

export function recipesPage(): string {
  const names = readdirSync(RECIPES)
    .filter((name) => name.endsWith('.test.yaml'))
    .map((name) => name.slice(0, -'.test.yaml'.length))
    .sort();
  const recipes = names.map(
    (name): Recipe => ({
      name,
      text: readFileSync(join(RECIPES, `${name}.yaml`), 'utf8'),
      ran: runFixtures(join(RECIPES, `${name}.test.yaml`)),
    }),
  );
  return `${[
    '# Recipes',
    GENERATED,
    `${recipes.length} tasks that come up, each a mapping to copy and a test that runs: \`npm run wrapup -- test docs/recipes\`. Put the mapping into \`config/mappings/\`, name it in a route, change the names of properties to yours, and try it with \`wrapup plan\`.`,
    table(
      ['recipe', 'for', 'writes'],
      recipes.map(({ name, text, ran }) => [`[${titleOf(text)}](#${name})`, ...landsIn(ran)]),
    ),
    ...recipes.flatMap(section),
  ].join('\n\n')}\n`;
}

/** The CRM, and the records that its tests write there. */
function landsIn({ kind = '', tests }: FileOutcome): [string, string] {
  const objects = tests.flatMap(({ produced }) => (produced?.records ?? []).map(({ object }) => object));
  return [NAMES[kind] ?? kind, [...new Set(objects)].join(', ')];
}

const NAMES: Record<string, string> = { hubspot: 'HubSpot', salesforce: 'Salesforce', http: 'any endpoint' };

/** The first line of comment that is for people. */
function titleOf(text: string): string {
  return (text.split('\n').find((line) => line.startsWith('# ') && !line.includes('yaml-language-server')) ?? '').slice(
    2,
  );
}

function section({ name, text, ran }: Recipe): string[] {
  const yaml = text
    .split('\n')
    .filter((line) => !line.includes('yaml-language-server') && line !== `# ${titleOf(text)}`)
    .join('\n')
    .trim();
  const outcomes = ran.tests.map((test) => {
    const records = (test.produced?.records ?? []).flatMap((record) => showRecord(record, WIDTH, isOwn));
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

/** Of the recipe itself, and not of the preset that it extends. */
const isOwn = ({ at }: ProducedRecord['fields'][number]) => !at.file.startsWith('preset ');
