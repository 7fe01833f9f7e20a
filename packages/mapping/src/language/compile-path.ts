import { clientOf, localName } from '@wrapup/call';
import type { Place, Report } from '@wrapup/findings';
import { nearest, suggest } from '@wrapup/findings';
import type { MappedPath } from '../model/compiled.ts';
import type { OfficeHours } from '../time/office-hours.ts';
import type { Reading } from '../values/compare.ts';
import { Absent, type Evaluate, isNothing, type Present } from '../values/found.ts';
import { parsePath, readOwn, type Segment } from './path.ts';
import { FACTS, type Known, NAMED_ROOTS, type NamedRoot, ROOTS } from './roots.ts';

/** What compiling needs besides the text, and what it finds out. */
export interface Compiling {
  report: Report;
  /** Properties of the person that are read, and where. Undefined where no person can be known. */
  needs: Map<string, Place> | undefined;
  /** What the mapping names under `define`. Absent: nothing can be named here. */
  my?: NamedValues;
  /** Paths of what is free to have any name, as they were written. Absent: it is not asked which are read. */
  reads?: Map<string, MappedPath>;
  /** Every path that can give the value or decide on it, those of the values it names among them. Absent: not asked for. */
  paths?: ReadPath[];
  /** How numbers and times are read where a line does not say otherwise. */
  reading: Reading;
  /** When the office is open. Absent: Monday to Friday. */
  office?: OfficeHours;
  /** Lines that mean something else than in the version before are findings, too. */
  tells_changes?: boolean;
}

/** Code of findings about lines that mean something else than in the version before. */
export const CHANGED = 'changed-meaning';

/** Presets are of this version: they mean what they say. */
export function tellsChangesOf({ file }: Place, { tells_changes }: Compiling): boolean {
  return tells_changes === true && !file.startsWith('preset ');
}

/** A path that a value reads: as it was written, and its parts. */
export type ReadPath = Pick<MappedPath, 'path' | 'segments'>;

/** A value that the mapping names. */
export interface NamedValue {
  evaluate: Evaluate;
  known: Known;
  /** Properties of the person that it reads, and where. */
  needs: ReadonlyMap<string, Place>;
  /** Every path that it reads, those of other named values among them. */
  paths: readonly ReadPath[];
}

export interface NamedValues {
  readonly names: readonly string[];
  /** Undefined where it was reported: it is part of a circle, or wrong itself. */
  find(name: string): NamedValue | undefined;
}

export interface CompiledPath {
  evaluate: Evaluate;
  /** As it was written. */
  text: string;
  known: Known;
}

export type LocateCharacter = (offset: number) => Place;

/** Compiles a path, or reports what is wrong with it. @param instead what else may be meant where it is none */
export function compilePath(
  text: string,
  locate: LocateCharacter,
  compiling: Compiling,
  instead = '',
): CompiledPath | undefined {
  const { report } = compiling;
  const parsed = parsePath(text);
  const lead = text.length - text.trimStart().length;
  if ('error' in parsed) {
    const { message, hint, offset } = parsed.error;
    const code = /cannot read/.test(message) ? 'refused-path' : 'bad-path';
    report.error(code, message, locate(Math.max(offset, lead)), code === 'bad-path' ? `${hint}${instead}` : hint);
    return undefined;
  }
  const { segments } = parsed;
  const at = locate(lead);
  if (segments[0] === 'my') return compileNamed(segments, text.trim(), at, compiling);
  compiling.paths?.push({ path: text.trim(), segments });
  const known = checkSegments(segments, text.trim(), at, report);
  if (!known) return undefined;
  const [root, ...rest] = segments;
  if (root === 'person') return compilePersonPath(rest, text.trim(), at, known, compiling);
  const missing = new Absent(`${text.trim()} is not in the call`);
  if (root === 'source') {
    const read = rest[0] === 'client' ? clientOf : localName;
    return { evaluate: ({ call }) => wrap(read(call.source), missing), text: text.trim(), known };
  }
  if (OPEN_ROOTS.has(root as string)) noteRead({ path: text.trim(), segments, at }, compiling);
  const full = root === 'call' ? rest : (ALIASES[root as string] ?? segments);
  return { evaluate: ({ call }) => wrap(readOwn(call, full), missing), text: text.trim(), known };
}

/** Its first place in a file counts: what is built in stands in none, and may be compiled before a line or after it. */
function noteRead(read: MappedPath, { reads }: Compiling): void {
  const known = reads?.get(read.path);
  if (!known || known.at.file === '') reads?.set(read.path, read);
}

/** Under these the agent, the customer or the mapping's author choose the names. */
const OPEN_ROOTS: ReadonlySet<string> = new Set<NamedRoot>(NAMED_ROOTS);

/** Roots that are another name of a fact of the call. */
const ALIASES: Record<string, Segment[]> = { custom_end_call_reason: ['end_reason_text'] };

function compileNamed(
  [, name, ...rest]: Segment[],
  text: string,
  at: Place,
  { report, my, needs, paths }: Compiling,
): CompiledPath | undefined {
  if (!my) {
    report.error(
      'unknown-path',
      `${text} cannot be read here`,
      at,
      'named values belong to the mapping that defines them',
    );
    return undefined;
  }
  if (typeof name !== 'string' || rest.length > 0) {
    report.error('unknown-path', `"${text}" names no value`, at, `write my.${my.names[0] ?? '<name>'}`);
    return undefined;
  }
  if (!my.names.includes(name)) {
    const hint = my.names.length > 0 ? suggest(name, my.names) : `say what it is: define: { ${name}: … }`;
    report.error('unknown-path', `unknown path "${text}": nothing is defined under ${name}`, at, hint);
    return undefined;
  }
  const named = my.find(name);
  if (!named) return undefined;
  for (const [property, place] of named.needs) {
    if (!needs) {
      report.error(
        'unknown-path',
        `${text} cannot be read here: it reads person.${property}`,
        at,
        'the person is looked up later; use call, lead or vars',
      );
      return undefined;
    }
    if (!needs.has(property)) needs.set(property, place);
  }
  paths?.push(...named.paths);
  return { evaluate: named.evaluate, text, known: named.known };
}

function compilePersonPath(
  [property]: Segment[],
  text: string,
  at: Place,
  known: Known,
  { report, needs }: Compiling,
): CompiledPath | undefined {
  if (!needs) {
    report.error(
      'unknown-path',
      `${text} cannot be read here`,
      at,
      'the person is looked up later; use call, lead or vars',
    );
    return undefined;
  }
  const name = String(property);
  if (!needs.has(name)) needs.set(name, at);
  const missing = new Absent(`${text} is empty in the CRM`);
  const unknown = new Absent(`${text} is known only once the person is found`);
  return { evaluate: ({ person }) => (person ? wrap(readOwn(person, [name]), missing) : unknown), text, known };
}

function wrap(value: unknown, missing: Absent): Present | Absent {
  return isNothing(value) ? missing : (value as Present);
}

function checkSegments(segments: Segment[], text: string, at: Place, report: Report): Known | undefined {
  const [root, ...rest] = segments as [string, ...Segment[]];
  let known = Object.hasOwn(ROOTS, root) ? ROOTS[root] : undefined;
  if (!known) {
    report.error('unknown-path', `unknown path "${text}": no path begins with "${root}"`, at, hintForRoot(root, text));
    return undefined;
  }
  let so = root;
  for (const [index, segment] of rest.entries()) {
    const fields: Record<string, Known> | undefined = known.fields;
    if (known.leaf) {
      report.error(
        'unknown-path',
        `unknown path "${text}": ${so} is a single value, nothing goes under it`,
        at,
        `write ${so}`,
      );
      return undefined;
    }
    const isNew: boolean = fields !== undefined && !Object.hasOwn(fields, segment);
    if (isNew && known.open && nearest(String(segment), Object.keys(fields ?? {})) === undefined)
      report.warn(
        'unknown-criterion',
        `${so} has no ${segment} at Synthflow`,
        at,
        'a criterion of your own may have any name; those that there are: docs/reference/analysis.md',
      );
    else if (fields && isNew) {
      report.error(
        'unknown-path',
        `unknown path "${text}": ${so} has no ${segment}`,
        at,
        hintForField(so, String(segment), fields, text, rest.slice(index + 1)),
      );
      return undefined;
    }
    known = fields && !isNew ? (fields[segment] as Known) : (known.each ?? {});
    so +=
      typeof segment === 'number'
        ? `[${segment}]`
        : /^[\p{L}\p{N}_-]+$/u.test(segment)
          ? `.${segment}`
          : `["${segment}"]`;
  }
  if ((known.fields && !known.open) || (root === 'person' && rest.length !== 1)) {
    const names = Object.keys(known.fields ?? {});
    const example = names.length > 0 ? `${so}.${names[0]}` : 'person.firstname';
    report.error(
      'unknown-path',
      `"${text}" is a section, not a value`,
      at,
      `go on to one of its values, as in ${example}`,
    );
    return undefined;
  }
  return known;
}

function hintForRoot(root: string, text: string): string {
  const rest = text.slice(root.length);
  for (const [section, fields] of Object.entries(FACTS))
    if (Object.hasOwn(fields, root)) return `did you mean "${section}.${text}"?`;
  const near = nearest(root, Object.keys(ROOTS));
  if (near !== undefined && rest !== '') return `did you mean "${near}${rest}"?`;
  if (rest !== '') return `paths begin with ${Object.keys(ROOTS).join(', ')}; a fixed text is { value: "${text}" }`;
  return `a fixed value is { value: ${text} }; what the agent collected is vars.${text}`;
}

function hintForField(
  so: string,
  segment: string,
  fields: Record<string, Known>,
  text: string,
  rest: Segment[],
): string {
  // `call.lead.phone` and `call.vars.budget`: the root stands by itself.
  if (so === 'call' && Object.hasOwn(ROOTS, segment))
    return segment === 'source' ? 'did you mean "source.name"?' : `did you mean "${text.slice('call.'.length)}"?`;
  const near = nearest(segment, Object.keys(fields));
  const tail = rest.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  if (near !== undefined) return `did you mean "${so}.${near}${tail}"?`;
  for (const [other, names] of Object.entries(Object.hasOwn(FACTS, so) ? FACTS : {}))
    if (Object.hasOwn(names, segment)) return `did you mean "${other}.${segment}${tail}"?`;
  return `${so} has ${Object.keys(fields).join(', ')}`;
}
