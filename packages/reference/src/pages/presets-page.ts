/** docs/reference/presets/: what each shipped preset does, from its own lines and its own tests. */
import { basename, resolve } from 'node:path';
import { KINDS } from '@wrapup/config';
import { get, isList, isMap, type MapNode, type Node, textOf } from '@wrapup/findings';
import { runFixtures } from '@wrapup/fixtures';
import {
  type CompiledMapping,
  type Dialect,
  explainMapping,
  type RecordDialect,
  readPresetHead,
} from '@wrapup/mapping';
import { valueInWords, whenInWords } from './in-words.ts';
import { code, codes, GENERATED, table } from './markdown.ts';
import { showRecord } from './show-record.ts';

const PACKAGES = resolve(import.meta.dirname, '../../..');
/** Characters of a value that are shown. */
const WIDTH = 100;

interface Preset {
  /** `hubspot/call-log`. */
  name: string;
  dialect: Dialect;
  text: string;
  tree: MapNode;
  mapping: CompiledMapping;
  /** What `provision` makes for it. */
  provisions: string[];
}

/** Every page by its path, and the index of all. */
export async function presetPages(): Promise<Record<string, string>> {
  const presets: Preset[] = [];
  for (const kind of Object.values(KINDS))
    for (const [short, give] of Object.entries(kind.dialect.presets)) {
      const name = `${kind.kind}/${short}`;
      const source = { name, text: `extends: ${name}\n`, dialect: kind.dialect, readFile: () => undefined };
      const { explained } = explainMapping(source);
      if (!explained) throw new Error(`the preset ${name} has mistakes`);
      const { tree, mapping } = explained;
      const provisions = (await kind.provisions?.([mapping])) ?? [];
      presets.push({ name, dialect: kind.dialect, text: give(), tree, mapping, provisions });
    }
  const pages = presets.map((preset) => [`docs/reference/presets/${fileOf(preset)}`, page(preset)]);
  return { ...Object.fromEntries(pages), 'docs/reference/presets/README.md': index(presets) };
}

const fileOf = ({ name }: Pick<Preset, 'name'>) => `${name.replace('/', '-')}.md`;

function index(presets: Preset[]): string {
  const rows = presets.map((preset) => [
    `[${preset.name}](${fileOf(preset)})`,
    readPresetHead(preset.name, preset.text).title,
    recordsOf(preset)
      .map(({ record }) => code(record))
      .join(', '),
  ]);
  return `${[
    '# Presets',
    GENERATED,
    'What a mapping can extend: `extends: hubspot/call-log` does all of it, and what the mapping says itself comes on top or instead. `npm run wrapup -- explain hubspot/call-log` shows every line of one, `npm run wrapup -- init` starts from one. [The mapping language](../mapping-language.md) says what a line can say.',
    table(['preset', 'for', 'writes'], rows),
  ].join('\n\n')}\n`;
}

function page(preset: Preset): string {
  const { name, text, provisions } = preset;
  const { title, lines } = readPresetHead(name, text);
  const base = /^extends: (\S+)/m.exec(text)?.[1];
  return `${[
    `# ${name}`,
    GENERATED,
    `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    ...(base === undefined
      ? []
      : [`It extends [${base}](${fileOf({ name: base })}), and this page shows both in one.`]),
    `\`\`\`yaml\nextends: ${name}\n\`\`\``,
    '## What it expects, and what is usually changed',
    ...toMarkdown(lines),
    '## What lands where',
    'Write modes in brackets are the default. [What they mean](../mapping-language.md#write-modes)',
    ...recordsOf(preset).flatMap((record) => recordSection(record, preset)),
    ...defineSection(preset),
    '## What provision makes',
    provisions.length === 0
      ? 'Nothing is needed.'
      : `\`wrapup provision\` makes what is missing of ${codes(provisions)}.`,
    '## A call in, records out',
    example(preset),
  ].join('\n\n')}\n`;
}

/** Indented lines are examples, those that follow one another a paragraph. */
function toMarkdown(lines: string[]): string[] {
  const blocks: { example: boolean; lines: string[] }[] = [];
  for (const line of lines) {
    const isExample = line.startsWith('  ');
    const last = blocks.at(-1);
    if (line === '') blocks.push({ example: false, lines: [] });
    else if (last && last.lines.length > 0 && last.example === isExample) last.lines.push(line);
    else blocks.push({ example: isExample, lines: [line] });
  }
  return blocks
    .filter(({ lines: some }) => some.length > 0)
    .map(({ example: isExample, lines: some }) =>
      isExample ? `\`\`\`\n${some.map((line) => line.slice(2)).join('\n')}\n\`\`\`` : some.join('\n'),
    );
}

interface Landing {
  /** Name in the mapping. */
  record: string;
  object: string;
  node: MapNode;
  words: RecordDialect['words'];
}

function recordsOf({ tree, dialect }: Preset): Landing[] {
  return [...tree.entries].flatMap(([key, { value }]): Landing[] => {
    if (key === 'person' && isMap(value))
      return [{ record: 'person', object: dialect.person.object, node: value, words: {} }];
    const known = Object.hasOwn(dialect.records, key) ? dialect.records[key] : undefined;
    if (!known) return [];
    const items = isList(value) ? value.items : [value];
    return items.filter(isMap).map((node) => ({
      record: textOf(get(node, 'name')) ?? key,
      object: textOf(get(node, 'object')) ?? known.object,
      node,
      words: known.words,
    }));
  });
}

function recordSection({ record, object, node, words }: Landing, { mapping }: Preset): string[] {
  const [when, fields] = [get(node, 'when'), get(node, 'fields')];
  const written = [
    ...Object.entries(words).flatMap(([word, { property, as, literal }]) => {
      const value = get(node, word);
      if (!value) return [];
      const text = textOf(value);
      if (as === 'due') return [{ property, value, says: `${text} after the call has ended` }];
      return [{ property, value, says: literal ? `always ${code(text ?? '')}` : valueInWords(value, 'text') }];
    }),
    ...[...(isMap(fields) ? fields.entries : [])].map(([property, { value }]) => ({
      property,
      value,
      says: valueInWords(value, 'path'),
    })),
  ];
  const rows = written.map(({ property, value, says }) => {
    const field = mapping.fields.find(
      (one) => one.record === record && one.property === property && one.use === 'write',
    );
    const mode = get(value, 'write') === undefined ? `(${field?.write})` : `${field?.write}`;
    return [code(property), says, mode];
  });
  const links = get(node, 'associate');
  const linked = isList(links) ? links.items.map((item) => textOf(item) ?? '') : [];
  return [
    `### ${code(record)}, one of ${code(object)}`,
    [
      record === 'person'
        ? personInWords(node)
        : when
          ? `Written where ${whenInWords(when)}.`
          : 'Written for every call.',
      ...(linked.length > 0 ? [`Linked to ${codes(linked)}.`] : []),
    ].join(' '),
    ...(rows.length > 0 ? [table(['field', 'holds', 'written'], rows)] : []),
  ];
}

function personInWords(node: MapNode): string {
  const match = get(node, 'match');
  const by = isList(match) ? match.items.map((item) => textOf(item) ?? '') : [];
  const unmatched = get(node, 'unmatched');
  const none = isMap(unmatched)
    ? [...unmatched.entries]
        .map(
          ([outcome, { value }]) =>
            `${code(textOf(value) ?? '')} ${outcome === 'default' ? 'otherwise' : `for ${outcome}`}`,
        )
        .join(', ')
    : code(textOf(unmatched) ?? '');
  return `Looked for by ${by.join(', ')}. None found: ${none}. Several found: ${code(textOf(get(node, 'ambiguous')) ?? '')}. [What these mean](../mapping-language.md#the-person)`;
}

function defineSection({ tree }: Preset): string[] {
  const define = get(tree, 'define');
  if (!isMap(define) || define.entries.size === 0) return [];
  const sections = [...define.entries].flatMap(([name, { value }]) => [
    `### ${code(`my.${name}`)}`,
    namedInWords(value),
  ]);
  return ['## Named values', 'A mapping overrides them by name under `define:`.', ...sections];
}

function namedInWords(node: Node): string {
  const cases = get(node, 'cases');
  if (!isList(cases)) return `It is ${valueInWords(node, 'path')}.`;
  const list = cases.items.map((item) => {
    const [is, when] = [get(item, 'is'), get(item, 'when')];
    return `1. ${code(is?.kind === 'scalar' ? String(is.value) : '')} where ${when ? whenInWords(when) : 'always'}`;
  });
  const otherwise = get(node, 'default');
  return [
    'The first that holds:\n',
    ...list,
    ...(otherwise ? [`1. else ${valueInWords(otherwise, 'path')}`] : []),
  ].join('\n');
}

/** The first of its tests: what goes in is one of the samples. */
function example({ name }: Preset): string {
  const [kind = '', short = ''] = name.split('/');
  const file = resolve(PACKAGES, kind, 'presets', `${short}.test.yaml`);
  const [first] = runFixtures(file).tests;
  const produced = first?.produced;
  if (!produced) throw new Error(`${basename(file)} has no test that runs`);
  const lines = produced.records.flatMap((record) => showRecord(record, WIDTH));
  return `The first test of [${basename(file)}](../../../packages/${kind}/presets/${basename(file)}): ${first.name}. It is run when this page is made.\n\n\`\`\`\n${lines.join('\n')}\n\`\`\``;
}
