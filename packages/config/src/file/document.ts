/**
 * wrapup.yaml with environment variables in place. They are replaced in scalars only, after parsing, so that no variable
 * can change the structure of the file.
 */
import {
  isList,
  isMap,
  type MapNode,
  type Node,
  nodeAt,
  type Place,
  Report,
  readYaml,
  scalar,
  toPlain,
} from '@wrapup/findings';
import { replaceVariables } from './variables.ts';

/** A wrapup.yaml of 10,000 connections with a route each has some 3 MB and 200,000 values. */
const LIMITS = { bytes: 10_000_000, values: 500_000 };
/** Of a client's file: a thousand are read in one go, and none may hold up the others. One of 100 routes has 20 kB. */
export const CLIENT_LIMITS = { bytes: 256_000, values: 20_000 };

/**
 * Stands for a value whose variable is missing: findings about it are left out, since that one was reported. It fits where
 * a secret does, so that what depends on there being one is checked.
 */
export const UNSET = '__unset.wrapup.variable__';

/** Where a value comes from, besides itself. */
export interface ValueOrigin {
  /** Where the value stands. */
  value: Place;
  /** Where its key stands; the value's place for items of a list. */
  key: Place;
  /** Variables that it was made of: its text must not be shown. */
  variables: readonly string[];
}

export interface YamlDocument {
  /** Undefined when the file could not be parsed. */
  root: Node | undefined;
  /** `root` as plain values. */
  value: unknown;
  /** Collects the findings about it, of reading and of every check. */
  report: Report;
  /** Names of all variables used. */
  variables: Set<string>;
  /** Origin of the value at that path, else of the nearest thing around it. */
  origin(path: readonly PropertyKey[]): ValueOrigin;
  /** Whether something at or below that path was left out, as its variable is not set and may be spared. */
  isSpared(path: readonly PropertyKey[]): boolean;
}

export interface ReadOptions {
  /** Given the file as it is written, whether a variable at a path may be missing: the value is left out then. */
  mayLackIn?: (written: unknown) => Replacing['mayLack'];
  /** Why the file may not name a variable; undefined when it may. */
  refused?: (variable: string) => { message: string; hint: string } | undefined;
  limits?: typeof LIMITS;
  /** A variable that is not set is no finding: its value stands for any that fits. */
  without_variables?: boolean;
}

/**
 * @param file how findings name the file
 * @param env variables for `${X}`; undefined leaves texts as they are
 */
export function readDocument(
  text: string,
  file: string,
  env?: NodeJS.ProcessEnv,
  {
    mayLackIn = () => () => false,
    refused = () => undefined,
    limits = LIMITS,
    without_variables = false,
  }: ReadOptions = {},
): YamlDocument {
  const report = new Report();
  const written = readYaml(text, file, report, limits);
  const mayLack = mayLackIn(written && toPlain(written));
  const replacing: Replacing = { env, mayLack, refused, report, without_variables, variables: new Set(), spared: [] };
  const root = written && (replaceIn(written, [], replacing) ?? scalar(null, written.at));
  return {
    root,
    value: root && toPlain(root),
    report,
    variables: replacing.variables,
    isSpared: (path) => replacing.spared.some((one) => path.every((part, i) => String(one[i]) === String(part))),
    origin(path) {
      const { node, key } = nodeAt(root ?? scalar(null, { file, line: 1, column: 1 }), path);
      return { value: node.at, key, variables: (node.kind === 'scalar' && node.variables) || [] };
    },
  };
}

interface Replacing {
  env: NodeJS.ProcessEnv | undefined;
  mayLack: (path: readonly PropertyKey[]) => boolean;
  refused: NonNullable<ReadOptions['refused']>;
  report: Report;
  without_variables: boolean;
  variables: Set<string>;
  spared: (readonly PropertyKey[])[];
}

/** Undefined for a value whose variables are all empty, or spared: it counts as absent. */
function replaceIn(node: Node, path: readonly PropertyKey[], replacing: Replacing): Node | undefined {
  if (isMap(node)) return replaceInMap(node, path, replacing);
  if (isList(node)) {
    const items: Node[] = [];
    for (const item of node.items) {
      const replaced = replaceIn(item, [...path, items.length], replacing);
      if (replaced) items.push(replaced);
    }
    return { ...node, items };
  }
  const { env, report } = replacing;
  if (typeof node.value !== 'string' || env === undefined || !node.value.includes('$')) return node;
  const { text, variables, problems } = replaceVariables(node.value, env);
  const foreign = variables.map((name) => replacing.refused(name)).find((why) => why !== undefined);
  if (foreign) {
    // Not even whether it is set is said.
    report.error('outside-client', foreign.message, node.at, foreign.hint);
    return { ...scalar(UNSET, node.at), variables, unset: true };
  }
  for (const name of variables) replacing.variables.add(name);
  if (problems.some(({ code }) => code === 'unset-variable') && replacing.mayLack(path)) {
    replacing.spared.push(path);
    return undefined;
  }
  for (const { code, message, hint } of problems)
    if (code !== 'unset-variable' || !replacing.without_variables) report.error(code, message, node.at, hint);
  if (problems.length > 0) return { ...scalar(UNSET, node.at), variables, unset: true };
  // One that may be empty may also be set.
  if (text === '' && variables.length > 0)
    return replacing.without_variables ? { ...scalar(UNSET, node.at), variables, unset: true } : undefined;
  return { ...scalar(text, node.at), ...(variables.length > 0 && { variables }) };
}

function replaceInMap(node: MapNode, path: readonly PropertyKey[], replacing: Replacing): MapNode {
  const entries: MapNode['entries'] = new Map();
  const emptied: NonNullable<MapNode['emptied']> = new Map();
  for (const [name, { key, value }] of node.entries) {
    const replaced = replaceIn(value, [...path, name], replacing);
    if (replaced) entries.set(name, { key, value: replaced });
    else if (value.kind === 'scalar')
      emptied.set(name, { at: value.at, variables: variablesIn(value.value, replacing.env) });
  }
  return { ...node, entries, ...(emptied.size > 0 && { emptied }) };
}

function variablesIn(value: unknown, env: NodeJS.ProcessEnv | undefined): string[] {
  return typeof value === 'string' && env ? replaceVariables(value, env).variables : [];
}
