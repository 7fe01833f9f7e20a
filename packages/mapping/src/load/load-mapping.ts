/** A mapping file and everything it extends, as one tree. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Place, Report, RetiredKey } from '@wrapup/findings';
import { checkShape, find, isMap, isNull, type MapNode, type Node, readYaml, suggest, textOf } from '@wrapup/findings';
import type { z } from 'zod';
import { CHANGED } from '../language/compile-path.ts';
import { CONDITION_FORMS } from '../language/condition-form.ts';
import type { Dialect } from '../model/dialect.ts';
import { checkNothingRemoved, mergeMappings, namesSource } from './merge.ts';

/** Text of a file of the config folder, or undefined when it is not there. The path is relative, with `/`. */
export type ReadFile = (path: string) => string | undefined;

export interface LoadedMapping {
  tree: MapNode;
  /** sha256 over the kind and all texts, first 12 hex digits. */
  hash: string;
  /** False: what it extends could not be used, and the tree is the file's own part alone. */
  whole: boolean;
}

/** Keys that earlier versions accepted. */
const RETIRED: Readonly<Record<string, RetiredKey>> = {
  'call_log.transcript': {
    message: 'call_log.transcript is gone: the CRM’s own transcripts are no longer written',
    hint: 'take it out; body: { transcript: full } writes every word into the call itself',
    fix: { remove: true },
  },
};

const OPT_OUT = '{ from: analysis.no_opt_out, map: { "false": true }, write: never_unset }';
/** Fields of a person that presets had in earlier versions: a mapping that changes one has nothing to go by any more. */
const RETIRED_LINES: Readonly<Record<string, { property: string; was: string }>> = {
  'preset hubspot/lead-qualification': { property: 'wrapup_opted_out', was: OPT_OUT },
  'preset salesforce/lead-capture': { property: 'DoNotCall', was: OPT_OUT },
};

/** Files that may extend one another in a row. */
const LONGEST_CHAIN = 10;

interface Loading {
  dialect: Dialect;
  schema: z.ZodType;
  readFile: ReadFile;
  report: Report;
  /** How findings name the files so far, and their texts. */
  chain: { shown: string; text: string }[];
  whole: boolean;
  /** Lines that mean something else than in the version before are findings, too. */
  tells_changes: boolean;
}

/** @returns undefined when a file could not be used at all; the report says why */
export function loadMapping(
  name: string,
  text: string,
  request: Omit<Loading, 'chain' | 'whole'>,
): LoadedMapping | undefined {
  const loading: Loading = { ...request, chain: [], whole: true };
  const tree = loadFile({ shown: name, path: name, text }, loading);
  if (!tree) return undefined;
  const hash = createHash('sha256').update(`${loading.dialect.kind}\0`);
  for (const file of loading.chain) hash.update(`${file.text.length}\0${file.text}`);
  return { tree, hash: hash.digest('hex').slice(0, 12), whole: loading.whole };
}

interface File {
  /** How findings name it. */
  shown: string;
  /** Path in the config folder; undefined for a preset. */
  path: string | undefined;
  text: string;
}

function loadFile(file: File, loading: Loading): MapNode | undefined {
  const { report, schema, chain } = loading;
  chain.push({ shown: file.shown, text: file.text });
  const before = report.findings.length;
  const node = readYaml(file.text, file.shown, report);
  // With parts of the file missing, whatever else is said about it would only mislead.
  if (!node || report.findings.slice(before).some(({ severity }) => severity === 'error')) return undefined;
  const whole: Node =
    node.kind === 'scalar' && node.value === null ? { kind: 'map', at: node.at, entries: new Map() } : node;
  const top = isMap(whole) ? renameKeys(whole, loading) : whole;
  checkShape(top, schema, report, { retired: RETIRED, forms: CONDITION_FORMS });
  if (!isMap(top)) return undefined;
  const parent = top.entries.get('extends')?.value;
  const own: MapNode = { ...top, entries: new Map([...top.entries].filter(([key]) => key !== 'extends')) };
  const wanted = textOf(parent);
  if (parent === undefined || wanted === undefined) {
    checkNothingRemoved(own, report);
    return own;
  }
  const found = findParent(wanted, parent.at, file, loading);
  const base = found && loadFile(found, loading);
  if (base && loading.whole) {
    takeRetiredLines(own, loading);
    return mergeMappings(base, own, report);
  }
  loading.whole = false;
  return own;
}

/** Takes out what a file says of lines that the presets it extends had once. */
function takeRetiredLines(own: MapNode, { report, chain }: Loading): void {
  const fields = find(own, ['person', 'fields']);
  for (const { shown } of chain) {
    const line = RETIRED_LINES[shown];
    const entry = line && isMap(fields) ? fields.entries.get(line.property) : undefined;
    if (!line || !isMap(fields) || !entry) continue;
    const gone = `the ${shown} writes no ${line.property} any more`;
    if (isNull(entry.value))
      report.warn('retired-line', `${gone}, which this line takes away`, entry.key, 'take it out', { remove: true });
    else if (!namesSource(entry.value))
      report.error(
        'retired-line',
        `${gone}, which this line changes`,
        entry.key,
        `what it was: ${line.property}: ${line.was}`,
      );
    else continue;
    fields.entries.delete(line.property);
  }
}

/** Keys of earlier versions under the names that they have now. */
function renameKeys(top: MapNode, { dialect, report }: Loading): MapNode {
  const entries = new Map(top.entries);
  for (const [now, { was }] of Object.entries(dialect.records)) {
    const old = was === undefined ? undefined : entries.get(was);
    if (!old || was === undefined) continue;
    entries.delete(was);
    if (entries.has(now))
      report.error(
        'renamed-key',
        `${was} is called ${now} now, which the file has too`,
        old.key,
        `put both under ${now}`,
      );
    else {
      report.warn('renamed-key', `${was} is called ${now} now`, old.key, `write ${now}`, { replace: now });
      entries.set(now, old);
    }
  }
  return { ...top, entries };
}

function findParent(wanted: string, at: Place, from: File, loading: Loading): File | undefined {
  const { report, chain } = loading;
  const found = /\.ya?ml$/.test(wanted) ? findFile(wanted, at, from, loading) : findPreset(wanted, at, loading);
  if (!found) return undefined;
  if (chain.some(({ shown }) => shown === found.shown)) {
    const way = [...chain.map(({ shown }) => shown), found.shown].join(' -> ');
    report.error(
      'extends-cycle',
      `the files extend one another in a circle: ${way}`,
      at,
      'take one of the extends out',
    );
    return undefined;
  }
  if (chain.length < LONGEST_CHAIN) return found;
  report.error('extends-chain', `more than ${LONGEST_CHAIN} files extend one another`, at, 'put some of them together');
  return undefined;
}

function findPreset(wanted: string, at: Place, { dialect, report, tells_changes }: Loading): File | undefined {
  const names = Object.keys(dialect.presets).map((name) => `${dialect.kind}/${name}`);
  const name = wanted.startsWith(`${dialect.kind}/`) ? wanted.slice(dialect.kind.length + 1) : '';
  const give = Object.hasOwn(dialect.presets, name) ? dialect.presets[name] : undefined;
  const shown = `preset ${wanted}`;
  const line = RETIRED_LINES[shown];
  if (line && tells_changes && !at.file.startsWith('preset '))
    report.warn(
      CHANGED,
      `the ${shown} writes no ${line.property} any more`,
      at,
      `the recipe do-not-call says when to; for the line that it was: person: { fields: { ${line.property}: ${line.was} } }`,
    );
  if (give) return { shown, path: undefined, text: give() };
  const hint = names.includes(`${dialect.kind}/${wanted}`)
    ? `did you mean "${dialect.kind}/${wanted}"?`
    : suggest(wanted, names);
  report.error(
    'unknown-preset',
    `there is no preset "${wanted}" for ${dialect.kind}`,
    at,
    `${hint} A file ends in .yaml`,
  );
  return undefined;
}

function findFile(wanted: string, at: Place, from: File, { readFile, report, chain }: Loading): File | undefined {
  const near = /^\.\.?\//.test(wanted);
  const path = posix.normalize(near ? posix.join(posix.dirname(from.path ?? ''), wanted) : wanted);
  if (
    path.startsWith('..') ||
    posix.isAbsolute(path) ||
    /[\\\0]|^[A-Za-z]:/.test(wanted) ||
    (near && from.path === undefined)
  ) {
    report.error(
      'outside-folder',
      `"${wanted}" is not inside the config folder`,
      at,
      'name it from there: mappings/base.yaml',
    );
    return undefined;
  }
  // A file in a circle need not be read again to be reported.
  if (chain.some(({ shown }) => shown === path)) return { shown: path, path, text: '' };
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch {
    text = undefined;
  }
  if (text !== undefined) return { shown: path, path, text };
  report.error(
    'missing-file',
    `cannot read "${path}"`,
    at,
    'paths begin in the config folder, or with ./ beside this file',
  );
  return undefined;
}
