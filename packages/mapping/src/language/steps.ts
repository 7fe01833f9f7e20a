import { isCountry } from '@wrapup/call';
import type { ListNode, Node, Place, ScalarNode } from '@wrapup/findings';
import { suggest, textOf } from '@wrapup/findings';
import type { ValueKind } from '../model/compiled.ts';
import { compileDue, DUE_SHAPE } from '../time/due.ts';
import { isTimeZone } from '../time/zone.ts';
import { DEFAULT_TRANSFORM, findTransform, listTransforms } from '../transforms/registry.ts';
import {
  describeUse,
  type Parameter,
  type TransformArgument as Ready,
  type Transform,
} from '../transforms/transform.ts';
import type { Reading } from '../values/compare.ts';
import { Absent, type Evaluate, type Found, isNothing, type Present, type Scope } from '../values/found.ts';
import { isNumberWriting, NUMBER_WRITINGS } from '../values/numbers.ts';
import { CHANGED, type Compiling, compilePath, type LocateCharacter, tellsChangesOf } from './compile-path.ts';
import { looksLikePath } from './path.ts';
import { parseStep, type StepText } from './placeholders.ts';

/** One stage of a pipe, and what kind of value comes out of it, where that is certain. */
export type Step = ((value: Found, scope: Scope) => Found) & { gives?: ValueKind | undefined };

interface Given {
  value: string | number | boolean;
  quoted: boolean;
  at: Place;
}

/** Compiles what stands after a `|`. */
export function compileStep(step: StepText, locate: LocateCharacter, compiling: Compiling): Step | undefined {
  const args = step.args.map(({ text, quoted, offset }) => ({ value: text, quoted, at: locate(offset) }));
  return makeStep(step.name, args, locate(step.offset), compiling);
}

/** Compiles `transform:`: a name, `truncate: 20`, or a list of such. The shape was checked before. */
export function compileTransforms(node: Node, compiling: Compiling): Step[] | undefined {
  const items = node.kind === 'list' ? node.items : [node];
  const steps = items.flatMap((item): (Step | undefined)[] => {
    if (item.kind === 'scalar') return [compileWrittenStep(item, compiling)];
    if (item.kind === 'list') return [undefined];
    return [...item.entries].map(([name, { key, value }]) => {
      const args = argumentsOf(value);
      return args && makeStep(name, args, key, compiling);
    });
  });
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

function compileWrittenStep(node: ScalarNode, compiling: Compiling): Step | undefined {
  const text = textOf(node);
  // Anything but a text is reported by the schema.
  if (text === undefined) return undefined;
  const step = parseStep(text, 0);
  if (!('error' in step)) return compileStep(step, node.locate, compiling);
  compiling.report.error('unknown-transform', `"${text}" is no transform`, node.at, 'write trim, or truncate: 20');
  return undefined;
}

function argumentsOf(node: Node): Given[] | undefined {
  const items: Node[] = node.kind === 'list' ? (node satisfies ListNode).items : [node];
  const given: Given[] = [];
  for (const item of items) {
    // Anything but a plain value is reported by the schema.
    if (item.kind !== 'scalar' || item.value === null) return undefined;
    given.push({ value: item.value, quoted: false, at: item.at });
  }
  return given;
}

function makeStep(name: string, args: Given[], at: Place, compiling: Compiling): Step | undefined {
  const { report } = compiling;
  if (name === DEFAULT_TRANSFORM) return makeDefault(args, at, compiling);
  const transform = findTransform(name);
  if (!transform) {
    const names = [DEFAULT_TRANSFORM, ...listTransforms().map((known) => known.name)];
    report.error('unknown-transform', `unknown transform "${name}"`, at, suggest(name, names));
    return undefined;
  }
  const { parameters } = transform;
  const required = parameters.filter(({ optional }) => !optional).length;
  if (args.length < required || args.length > parameters.length) {
    const takes =
      parameters.length === 0
        ? 'no argument'
        : `${required === parameters.length ? '' : 'at most '}${count(parameters.length)}`;
    report.error(
      'bad-argument',
      `${name} takes ${takes}, not ${args.length}`,
      at,
      `write it as ${describeUse(transform)}`,
    );
    return undefined;
  }
  const ready: Ready[] = [];
  for (const [index, arg] of args.entries()) {
    const value = readArgument(arg, parameters[index] as Parameter);
    if (typeof value === 'object') {
      report.error(
        'bad-argument',
        `${name}: ${(parameters[index] as Parameter).name} must be ${value.wanted}`,
        arg.at,
        describeUse(transform),
      );
      return undefined;
    }
    ready.push(value);
  }
  tellChange(name, parameters, ready, at, compiling);
  return applyTransform(transform, fillIn(parameters, ready, compiling.reading));
}

/** What a line leaves open was read otherwise in the version before. */
function tellChange(
  name: string,
  parameters: readonly Parameter[],
  given: Ready[],
  at: Place,
  compiling: Compiling,
): void {
  const { report, reading } = compiling;
  if (!tellsChangesOf(at, compiling)) return;
  const open = parameters.filter((_, index) => given[index] === undefined).map(({ type }) => type);
  const { zone } = reading;
  if (open.includes('time_zone') && zone !== 'UTC')
    report.warn(
      CHANGED,
      `${name} goes by the mapping's time_zone ${zone} where a time has no offset; it was UTC`,
      at,
      `for the old meaning name it: { ${name}: UTC }`,
    );
  if (open.includes('number_writing') && reading.number === undefined)
    report.warn(
      CHANGED,
      `${name} leaves out what two countries read differently, such as 65.000; it was read as 65`,
      at,
      'say how callers write numbers: number: en at the top of the mapping, or de, fr, ch',
    );
}

/** What a line leaves open and the mapping says once: its time zone, its writing of numbers. */
function fillIn(parameters: readonly Parameter[], given: Ready[], reading: Reading): (Ready | undefined)[] {
  const once: { [type in Parameter['type']]?: Ready | undefined } = {
    time_zone: reading.zone,
    number_writing: reading.number,
  };
  return parameters.map(({ type }, index) => given[index] ?? once[type]);
}

const count = (number: number) => (number === 1 ? 'one argument' : `${number} arguments`);

function applyTransform(transform: Transform, args: (Ready | undefined)[]): Step {
  const nothing = new Absent(`${transform.name}: nothing is left`);
  const failed = new Absent(`${transform.name}: it could not make sense of the value`, 'unreadable_value');
  const step: Step = (value) => {
    if (value instanceof Absent) return value;
    try {
      const result = transform.apply(value, ...args);
      return isNothing(result) ? nothing : (result as Found);
    } catch {
      return failed;
    }
  };
  return Object.assign(step, { gives: transform.gives });
}

const MAX_ARGUMENT = 1000;

function readArgument({ value }: Given, { type, from, to }: Parameter): Ready | { wanted: string } {
  const text = String(value);
  switch (type) {
    case 'text':
      return text.length <= MAX_ARGUMENT ? text : { wanted: `at most ${MAX_ARGUMENT} characters` };
    case 'integer': {
      const number = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      const fits = number >= (from ?? -Infinity) && number <= (to ?? Infinity);
      return fits ? number : { wanted: `a whole number from ${from ?? '-∞'} to ${to ?? '∞'}` };
    }
    case 'time_zone':
      return isTimeZone(text) ? text : { wanted: 'a time zone such as America/New_York' };
    case 'number_writing':
      return isNumberWriting(text) ? text : { wanted: `one of ${Object.keys(NUMBER_WRITINGS).join(', ')}` };
    case 'span':
      return compileDue(text, 'UTC') ? text : { wanted: `${DUE_SHAPE}; with a minus before it` };
    case 'country':
      return isCountry(text) ? text : { wanted: 'an ISO country code of two capitals, such as US or GB' };
  }
}

function makeDefault(args: Given[], at: Place, compiling: Compiling): Step | undefined {
  const [arg] = args;
  if (!arg || args.length > 1) {
    compiling.report.error(
      'bad-argument',
      `default takes one argument, not ${args.length}`,
      at,
      'a text with commas stands in quotes',
    );
    return undefined;
  }
  const evaluate = compileFallback(arg, compiling);
  return evaluate && ((value, scope) => (value instanceof Absent ? evaluate(scope) : value));
}

/** The value that stands in for an absent one: what looks like a path is one, everything else is itself. */
function compileFallback({ value, quoted, at }: Given, compiling: Compiling): Evaluate | undefined {
  if (typeof value === 'string' && !quoted && looksLikePath(value))
    return compilePath(value, () => at, compiling)?.evaluate;
  const constant: Present = quoted ? value : readConstant(value);
  return () => constant;
}

/** Unquoted numbers, true and false keep their type. */
function readConstant(value: string | number | boolean): Present {
  if (typeof value !== 'string') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  return /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?$/.test(value) ? Number(value) : value;
}

/** Runs a value through a pipe. */
export function pipe(source: Evaluate, steps: Step[]): Evaluate {
  return (scope) => {
    let value = source(scope);
    for (const step of steps) value = step(value, scope);
    return value;
  };
}
