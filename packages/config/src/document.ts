/**
 * A YAML file as plain values, with the place of every one of them.
 *
 * The tree is walked by hand rather than turned into values by the library: variables are replaced in scalars only,
 * places are noted under the path that the value ends up at, and a file that tries to blow up (aliases of aliases) or to
 * reach a prototype is refused with a place.
 */
import type { Finding, Place } from '@wrapup/findings';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { replaceVariables } from './variables.ts';

/** Bytes; a wrapup.yaml of a hundred routes has about 20,000. */
const MAX_BYTES = 1_000_000;
/** Values, aliases followed. */
const MAX_VALUES = 50_000;
/** Levels of nesting. */
const MAX_DEPTH = 40;
const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export type PathKey = string | number;

/** What one value came from, besides itself. */
export interface Origin {
  /** Where the value stands. */
  value: Place;
  /** Where its key stands; the value's place for items of a list. */
  key: Place;
  /** Variables that it was made of: its text must not be shown. */
  variables: string[];
}

export interface YamlDocument {
  file: string;
  /** Undefined when the file could not be parsed. */
  value: unknown;
  findings: Finding[];
  /** Files that `X_FILE` variables name, and all variables used. */
  variables: Set<string>;
  /** Origin of the value at that path, else of the nearest thing around it. */
  origin(path: readonly PropertyKey[]): Origin;
  /** Variables that were set but empty, by path of the value they left out. */
  emptied: Map<string, string[]>;
  /** Whether something at or below that path was left out, as its variable is not set and may be spared. */
  isSpared(path: readonly PropertyKey[]): boolean;
}

/** One string for a path, safe for keys with dots. */
export function pathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

/**
 * @param file how findings name the file
 * @param env variables for `${X}`; undefined leaves texts as they are
 * @param mayLack whether a variable at that path may be missing: the value is left out then
 */
export function readYaml(
  text: string,
  file: string,
  env?: NodeJS.ProcessEnv,
  mayLack: (path: readonly PropertyKey[]) => boolean = () => false,
): YamlDocument {
  const findings: Finding[] = [];
  const origins = new Map<string, Origin>();
  const emptied = new Map<string, string[]>();
  const variables = new Set<string>();
  const spared: PathKey[][] = [];
  const lines = new LineCounter();
  const top: Place = { file, line: 1, column: 1 };
  const result: YamlDocument = {
    file,
    value: undefined,
    findings,
    variables,
    emptied,
    isSpared: (path) => spared.some((one) => path.every((part, i) => String(one[i]) === String(part))),
    origin(path) {
      for (let length = path.length; length > 0; length--) {
        const found = origins.get(pathKey(path.slice(0, length)));
        if (found) return found;
      }
      return { value: top, key: top, variables: [] };
    },
  };
  if (Buffer.byteLength(text) > MAX_BYTES) {
    findings.push({
      severity: 'error',
      code: 'too-large',
      message: `the file has ${Buffer.byteLength(text)} bytes; at most ${MAX_BYTES} are read`,
      hint: 'check that this is the right file',
      at: top,
    });
    return result;
  }

  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const place = (offset: number | undefined): Place => {
    if (offset === undefined) return top;
    const { line, col } = lines.linePos(offset);
    return line < 1 ? top : { file, line, column: col };
  };
  // One syntax error makes the parser stumble over what follows: only the first is worth reading.
  const syntax = document.errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  for (const error of syntax ? [syntax] : document.errors) {
    const ours = OURS[error.code];
    findings.push({
      severity: 'error',
      code: ours?.code ?? 'yaml',
      message: ours?.message ?? (error.message.split('\n')[0]?.replace(/:$/, '') || error.code),
      hint: HINTS[error.code] ?? 'mend the YAML here; indentation is the usual cause',
      at: place(error.pos[0]),
    });
  }
  if (document.errors.length > 0) return result;

  let values = 0;
  let overflow = false;
  const walk = (node: Node | null | undefined, path: PathKey[], key: Place, via: ReadonlySet<Node>): unknown => {
    const at = node && (node as ParsedNode).range ? place((node as ParsedNode).range?.[0]) : key;
    const origin: Origin = { value: at, key, variables: [] };
    origins.set(pathKey(path), origin);
    const deep = path.length > MAX_DEPTH;
    if (++values > MAX_VALUES || deep) {
      if (overflow) return undefined;
      overflow = true;
      findings.push({
        severity: 'error',
        code: deep ? 'too-deep' : 'too-large',
        message: deep ? `more than ${MAX_DEPTH} levels deep` : `more than ${MAX_VALUES} values, aliases followed`,
        hint: deep ? 'nest less' : 'aliases (*name) of aliases multiply; write the values out',
        at,
      });
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (!target || via.has(target)) {
        findings.push({
          severity: 'error',
          code: 'yaml',
          message: `the alias *${node.source} ${target ? 'contains itself' : 'has no anchor'}`,
          hint: 'write the value out',
          at,
        });
        return undefined;
      }
      return walk(target as Node, path, key, new Set([...via, target as Node]));
    }
    if (isMap(node)) {
      const map: Record<string, unknown> = {};
      for (const pair of node.items) {
        const keyNode = pair.key as Node | null;
        const name = isScalar(keyNode) ? String(keyNode.value) : undefined;
        const keyPlace = place((keyNode as ParsedNode | null)?.range?.[0]);
        if (name === undefined || REFUSED_KEYS.has(name)) {
          findings.push({
            severity: 'error',
            code: 'bad-key',
            message: name === undefined ? 'a key must be a plain name' : `"${name}" cannot be a key`,
            hint: name === undefined ? 'a value that starts with { or [ must be in quotes' : 'choose another name',
            at: keyPlace,
          });
          continue;
        }
        const value = walk(pair.value as Node | null, [...path, name], keyPlace, via);
        // A key whose variables were all empty is as good as not written.
        if (value !== undefined) map[name] = value;
      }
      return map;
    }
    if (isSeq(node)) {
      const list: unknown[] = [];
      for (const item of node.items) {
        const itemPlace = place((item as ParsedNode | null)?.range?.[0]);
        const value = walk(item as Node | null, [...path, list.length], itemPlace, via);
        if (value !== undefined) list.push(value);
      }
      return list;
    }
    if (!isScalar(node)) return null;
    if (typeof node.value !== 'string' || env === undefined || !node.value.includes('$')) return node.value;
    const replaced = replaceVariables(node.value, env);
    for (const name of replaced.variables) variables.add(name);
    origin.variables = replaced.variables;
    if (replaced.problems.some(({ code }) => code === 'unset-variable') && mayLack(path)) {
      spared.push(path);
      return undefined;
    }
    for (const problem of replaced.problems) findings.push({ severity: 'error', ...problem, at });
    // With a problem reported, a second finding about the same value would only confuse: keep a stand-in.
    if (replaced.problems.length > 0) return UNSET;
    if (replaced.text === '' && replaced.variables.length > 0) {
      emptied.set(pathKey(path), replaced.variables);
      return undefined;
    }
    return replaced.text;
  };
  result.value = walk(document.contents as Node | null, [], top, new Set()) ?? null;
  return result;
}

/** Stands for a value whose variable is missing: findings about it are left out, since that one was reported. */
export const UNSET = '\u0000unset';

/** Complaints of the parser that have a name of their own here. https://eemeli.org/yaml/#errors */
const OURS: Record<string, { code: string; message: string }> = {
  DUPLICATE_KEY: { code: 'duplicate-key', message: 'this key was already given above' },
  // The parser calls itself for every level, until the stack is full.
  RESOURCE_EXHAUSTION: { code: 'too-deep', message: 'this is nested too deep to be read' },
};

/** What to do about each of them; one row a code. */
const HINTS: Record<string, string> = {
  RESOURCE_EXHAUSTION: `nest at most ${MAX_DEPTH} levels`,
  DUPLICATE_KEY: 'keep one of the two',
  TAB_AS_INDENT: 'indent with spaces; YAML allows no tabs',
  BAD_INDENT: 'close the bracket, or line up the keys of one section',
  MULTIPLE_DOCS: 'keep one document: remove the "---" in the middle',
  BAD_ALIAS: 'a value that starts with * must be in quotes',
  MISSING_CHAR: 'close the quote or bracket',
};
