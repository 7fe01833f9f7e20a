/**
 * YAML text as nodes with places. Whatever would not come out as the author saw it is refused with a place: two keys of
 * one name, tabs, several documents, aliases that multiply, names that reach a prototype.
 */
import * as yaml from 'yaml';
import type { Place } from './finding.ts';
import { type Entry, MAX_DEPTH, type Node, type Scalar, type ScalarNode, scalar } from './node.ts';
import type { Report } from './report.ts';
import { locateCharacters } from './source-location.ts';

export interface YamlLimits {
  bytes: number;
  /** Aliases followed. */
  values: number;
}

/** A mapping of a hundred fields has about 10,000 bytes. */
const DEFAULT_LIMITS: YamlLimits = { bytes: 200_000, values: 10_000 };
export const REFUSED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What to do about each of the parser's complaints; one row a code. https://eemeli.org/yaml/#errors */
const HINTS: Record<string, string> = {
  TAB_AS_INDENT: 'indent with spaces: YAML allows no tabs',
  BAD_INDENT: 'close the bracket, or line up the keys of one section',
  MULTIPLE_DOCS: 'keep one document: remove the "---" in the middle',
  BAD_ALIAS: 'put a value that begins with * or & in quotes',
  MISSING_CHAR: 'close the quote or the bracket',
  UNEXPECTED_TOKEN: 'put a text that has special characters in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put a text that has ": " in it in quotes, and line up the keys of one section',
  MULTILINE_IMPLICIT_KEY: 'a key needs a ":" and stands on one line',
};

/** Instead of what the parser says to a programmer. */
const MESSAGES: Record<string, string> = { MULTIPLE_DOCS: 'the file has several documents' };

/**
 * @param file how findings name the file
 * @returns undefined when nothing of it can be used; the report says why
 */
export function readYaml(
  text: string,
  file: string,
  report: Report,
  limits: YamlLimits = DEFAULT_LIMITS,
): Node | undefined {
  const top: Place = { file, line: 1, column: 1 };
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    report.error('too-large', `the file has more than ${limits.bytes} bytes`, top, 'check that it is the right file');
    return undefined;
  }
  const lines = new yaml.LineCounter();
  let document: yaml.Document.Parsed;
  // The parser calls itself for every level.
  const refuseDepth = () =>
    report.error('too-deep', 'the file is nested too deep to be read', top, `nest at most ${MAX_DEPTH} levels`);
  try {
    document = yaml.parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      // The library compares every key with every other; the reader keeps count instead.
      uniqueKeys: false,
      logLevel: 'error',
    });
  } catch {
    refuseDepth();
    return undefined;
  }
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return line < 1 ? top : { file, line, column: col };
  };
  // One syntax error makes the parser stumble over what follows: only the first is worth reading.
  const [error] = document.errors;
  if (error && /call stack/.test(error.message)) refuseDepth();
  else if (error) {
    const hint = HINTS[error.code] ?? 'correct the YAML here; indentation is the usual cause';
    const message = MESSAGES[error.code] ?? firstLine(error.message, error.code);
    report.error('yaml', message, place(openingOf(error, document) ?? error.pos[0]), hint);
  }
  if (error) return undefined;
  return new Reader(document, text, place, top, report, limits.values).read();
}

/** Where the quote begins that nothing closes: the parser stops at the end of the file, which says nothing. */
function openingOf({ code, pos }: yaml.YAMLParseError, document: yaml.Document.Parsed): number | undefined {
  let opening: number | undefined;
  if (code !== 'MISSING_CHAR') return opening;
  yaml.visit(document, {
    Scalar(_, { type, range }) {
      const isQuoted = type === yaml.Scalar.QUOTE_DOUBLE || type === yaml.Scalar.QUOTE_SINGLE;
      if (isQuoted && range && range[0] < pos[0] && range[1] >= pos[0]) opening = range[0];
    },
  });
  return opening;
}

function firstLine(message: string, code: string): string {
  return message.split('\n')[0]?.replace(/:$/, '') || code;
}

class Reader {
  readonly #document: yaml.Document.Parsed;
  readonly #text: string;
  readonly #place: (offset: number) => Place;
  readonly #top: Place;
  readonly #report: Report;
  readonly #maxNodes: number;
  #nodes = 0;

  constructor(
    document: yaml.Document.Parsed,
    text: string,
    place: (offset: number) => Place,
    top: Place,
    report: Report,
    maxNodes: number,
  ) {
    this.#document = document;
    this.#text = text;
    this.#place = place;
    this.#top = top;
    this.#report = report;
    this.#maxNodes = maxNodes;
  }

  read(): Node {
    return this.#node(this.#document.contents, this.#top, []);
  }

  #node(node: yaml.Node | null, fallback: Place, via: yaml.Node[]): Node {
    const at = node?.range ? this.#place(node.range[0]) : fallback;
    const nothing = scalar(null, at);
    if (this.#refused(at, via)) return nothing;
    if (yaml.isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target && !via.includes(target)) return this.#node(target, at, [...via, target]);
      const why = target ? 'contains itself' : 'has no anchor';
      this.#report.error('yaml', `the alias *${node.source} ${why}`, at, 'write the value out');
      return nothing;
    }
    if (yaml.isSeq(node))
      return { kind: 'list', at, items: node.items.map((item) => this.#node(item as yaml.Node, at, [...via, node])) };
    if (yaml.isMap(node)) {
      const entries = new Map<string, Entry>();
      for (const pair of node.items)
        this.#pair(pair as yaml.Pair<yaml.Node | null, yaml.Node | null>, entries, at, [...via, node]);
      return { kind: 'map', at, entries };
    }
    return yaml.isScalar(node) ? this.#scalar(node, at) : nothing;
  }

  #refused(at: Place, via: yaml.Node[]): boolean {
    this.#nodes += 1;
    if (this.#nodes === this.#maxNodes)
      this.#report.error(
        'too-large',
        `more than ${this.#maxNodes} values, aliases followed`,
        at,
        'write them out: aliases of aliases multiply',
      );
    if (via.length > MAX_DEPTH) this.#report.error('too-deep', `more than ${MAX_DEPTH} levels deep`, at, 'nest less');
    return this.#nodes >= this.#maxNodes || via.length > MAX_DEPTH;
  }

  #pair(
    { key, value }: yaml.Pair<yaml.Node | null, yaml.Node | null>,
    entries: Map<string, Entry>,
    around: Place,
    via: yaml.Node[],
  ): void {
    const at = key?.range ? this.#place(key.range[0]) : around;
    if (!yaml.isScalar(key)) {
      this.#report.error(
        'bad-key',
        'a key must be a plain name',
        at,
        'put a text that begins with { or [ in quotes: "{{ … }}"',
      );
      return;
    }
    const name = String(key.value);
    if (REFUSED_NAMES.has(name)) {
      this.#report.error('bad-key', `"${name}" cannot be a key`, at, 'choose another name');
      return;
    }
    if (entries.has(name))
      this.#report.error('duplicate-key', `"${name}" was already given above`, at, 'keep one of the two');
    entries.set(name, { key: at, value: this.#node(value, at, via) });
  }

  #scalar(node: yaml.Scalar, at: Place): ScalarNode {
    const written = node.value;
    if (typeof written === 'string') return scalar(written, at, locateCharacters(node, at, this.#text));
    if (written === null || typeof written === 'boolean') return scalar(written, at);
    if (typeof written !== 'number' || !Number.isFinite(written)) {
      this.#report.error(
        'bad-value',
        `${String(node.source ?? written)} is no value a CRM takes`,
        at,
        'put it in quotes if it is text',
      );
      return scalar(null, at);
    }
    const source = node.source ?? String(written);
    // `0049…` and `+1…` look like text to who writes them, and lose digits as numbers.
    if (/^0\d|^\+/.test(source) || (Number.isInteger(written) && !Number.isSafeInteger(written)))
      this.#report.warn(
        'number-form',
        `${source} is read as the number ${written}`,
        at,
        'put it in quotes if it is text',
      );
    return scalar(written satisfies Scalar, at);
  }
}
